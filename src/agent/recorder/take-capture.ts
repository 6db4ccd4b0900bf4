/** Runs a capture that nobody watches, into bounded memory: it becomes a kept file when it is whole. */
import type { ArtifactSink, CaptureControl } from '../../inspect/captures/capture.ts';
import type { Subject } from '../../inspect/subject.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { ownSubject } from './unseen-session.ts';

/** A profile of a minute is some MB. */
const limitBytes = 64 * 1024 * 1024;

export interface Capturing {
  /** The artifact. Rejects when the capture fails or is abandoned. */
  readonly text: Promise<string>;
  /** Ends it early, keeping what there is. */
  stop(): void;
  abandon(): void;
}

export function takeCapture(
  run: (subject: Subject, sink: ArtifactSink, control: CaptureControl) => Promise<void>,
): Capturing {
  const stopped = new AbortController();
  const abandoned = new AbortController();
  const chunks: string[] = [];
  let bytes = 0;
  const writeSync = (chunk: string): void => {
    bytes += chunk.length;
    if (bytes > limitBytes) throw new NodeopsError('no-space', `it is larger than ${limitBytes} bytes`);
    chunks.push(chunk);
  };
  const sink: ArtifactSink = { memoryPerByte: 1, writeSync, write: async (chunk) => writeSync(chunk) };
  const nothing = () => {};
  const control: CaptureControl = {
    stopped: stopped.signal,
    abandoned: abandoned.signal,
    ...{ phase: nothing, progress: nothing, endsIn: nothing, note: nothing },
  };
  const { subject, close } = ownSubject();
  const text = run(subject, sink, control)
    .then(() => chunks.join(''))
    .finally(close);
  text.catch(nothing);
  return { text, stop: () => stopped.abort(), abandon: () => abandoned.abort() };
}
