import type { CaptureName, CaptureParameters } from '../../protocol/captures.ts';
import type { Subject } from '../subject.ts';

/** Where a capture puts its artifact. Both ways of writing keep memory bounded, and throw `no-space` when there is no room. */
export interface ArtifactSink {
  /** Resolves when there is room for more. Rejects when the capture was abandoned meanwhile. */
  write(chunk: string): Promise<void>;
  /** For what V8 sends whether or not anybody is ready: on disk, or compressed in bounded memory, when it returns. */
  writeSync(chunk: string): void;
  /** Memory that a byte written costs the container: 1 on tmpfs, 0 on a disk. */
  readonly memoryPerByte: number;
}

/** How a capture is steered, and how it tells what it does. */
export interface CaptureControl {
  /** End early and keep what there is. */
  readonly stopped: AbortSignal;
  /** End at once; what was written is thrown away. Also fires for whatever ends the process or the agent. */
  readonly abandoned: AbortSignal;
  /** What it does now, such as `sampling`. */
  phase(text: string): void;
  /** 0 to 1; null where it cannot be said. */
  progress(share: number | null): void;
  /** Milliseconds until it ends by itself, counted from now; null where that cannot be said. */
  endsIn(milliseconds: number | null): void;
  /** A sentence for the user about what is missing in the artifact and why. */
  note(text: string): void;
}

/**
 * Takes one capture. The subject's inspector is the capture's own: nobody else enables, disables or rests it meanwhile, and
 * whoever opened it closes it afterwards. Throws NodeopsError; whatever it started in the target is stopped then, too.
 */
export type CaptureRunner<N extends CaptureName> = (
  subject: Subject,
  parameters: CaptureParameters<N>,
  sink: ArtifactSink,
  control: CaptureControl,
) => Promise<void>;
