/** `p` in `top`: a real CPU profile of the selected process, saved here, and what it says in short. */
import { relative } from 'node:path';
import { Writable } from 'node:stream';
import { top as topFunctions } from '../../../formats/summary/top.ts';
import type { CaptureAllRequest } from '../../captures/capture-all.ts';
import type { Io } from '../../io.ts';
import type { Target } from '../../target.ts';

export const profileMs = 5_000;
const functionsShown = 10;

/** Lines for the panel: where it was saved, and its largest functions. Throws what the capture throws. */
export async function profileOf(target: Target, timeoutMs: number | undefined, io: Io): Promise<string[]> {
  const [{ captureAll }, { chooseDestination }, { conversion }] = await Promise.all([
    import('../../captures/capture-all.ts'),
    import('../../captures/destination.ts'),
    import('../../captures/formats.ts'),
  ]);
  const request: CaptureAllRequest = {
    capture: 'pprof-cpu',
    parameters: { duration: profileMs, interval: 1_000, thread: 'main' },
    format: 'pprof',
    convert: await conversion('pprof-cpu', { format: 'pprof', sourceMaps: undefined }),
    destination: await chooseDestination(undefined, { count: 1, overwrite: false }),
    timeoutMs: timeoutMs ?? 30_000,
    concurrency: 1,
    merge: false,
  };
  // the screen is the only thing that may be on the terminal
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const { outcomes } = await captureAll([target], request, { ...io, stderr: silent, stdout: silent });
  const [outcome] = outcomes;
  if (outcome?.error) throw outcome.error;
  const { files = [], profile } = outcome?.value ?? {};
  const path = files[0]?.path;
  const saved = path ? [`saved ${relative(process.cwd(), path) || path}`, `open it: ${io.program} view ${path}`] : [];
  const text = profile ? topFunctions(profile, { nodeCount: functionsShown }).trimEnd().split('\n') : [];
  return [...saved, ...text];
}
