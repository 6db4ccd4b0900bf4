/** One capture of one process into a directory, as part of something larger. */
import type { CaptureName } from '../../protocol/captures.ts';
import { askTimeoutMs } from '../client/client.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';
import { captureAll } from './capture-all.ts';
import { conversion } from './formats.ts';

export interface CaptureIntoRequest {
  readonly capture: CaptureName;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly directory: string;
}

/** The paths of what was saved, profiles as pprof. Throws why there is nothing. */
export async function captureInto(
  target: Target,
  { capture, parameters, directory }: CaptureIntoRequest,
  io: Io,
): Promise<string[]> {
  const convert = await conversion(capture, { format: 'pprof', sourceMaps: undefined });
  const request = {
    capture,
    parameters,
    format: convert ? 'pprof' : 'v8',
    convert,
    destination: { kind: 'directory', directory },
    timeoutMs: askTimeoutMs,
    concurrency: 1,
    merge: false,
  } as const;
  const { outcomes } = await captureAll([target], request, io);
  return outcomes.flatMap(({ value, error }) => {
    if (error) throw error;
    return value.files.flatMap(({ path }) => path ?? []);
  });
}
