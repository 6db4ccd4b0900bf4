/**
 * V8's heap sampler names the functions of physical frames: what was inlined is told as its caller, a whole event handler as the timer's
 * callback. While it is watched nothing is inlined, and what was optimized before is dropped (as for CPU profiles, see cpu-sampling.ts).
 */
import { type LoadModule, referProbe } from '../../evaluate.ts';
import type { Inspector } from '../../inspector.ts';
import { collectsCoverage } from '../coverage.ts';

const objectGroup = 'nodeops-inlining';
/** After the time that was asked for: whoever lost the line leaves the app as it was all the same. */
const graceMs = 60_000;

interface Inlining {
  end(): void;
}

/** Runs in the target. Null where the app decides about inlining itself. */
function stopInliningProbe({ restoreMs }: { restoreMs: number }, load: LoadModule): Inlining | null {
  const { execArgv, env } = load('process') as NodeJS.Process;
  if (/inlin/.test(`${execArgv.join(' ')} ${env.NODE_OPTIONS ?? ''}`)) return null;
  const v8 = load('v8') as typeof import('node:v8');
  const { setTimeout: later, clearTimeout: never } = load('timers') as typeof import('node:timers');
  const inlining = {
    timer: undefined as NodeJS.Timeout | undefined,
    set(flag: string): void {
      v8.setFlagsFromString(`--${flag}turbo-inlining`);
      // unknown on Node 20, which has no such compiler, or one that inlines nothing
      if (Number.parseInt(process.versions.node, 10) >= 22) v8.setFlagsFromString(`--${flag}maglev-inlining`);
    },
    end(): void {
      never(inlining.timer);
      inlining.set('');
    },
  };
  inlining.set('no-');
  inlining.timer = later(inlining.end, restoreMs);
  inlining.timer.unref();
  return inlining;
}

/** Returns what lets V8 inline again. Optimized code stays where the app collects coverage: dropping it would end that. */
export async function withoutInlining(inspector: Inspector, durationMs: number): Promise<() => Promise<void>> {
  const held = await referProbe(inspector, stopInliningProbe, { restoreMs: durationMs + graceMs }, objectGroup);
  const post = <R>(method: string, params?: object) => inspector.post<R>(method, params);
  await post('Profiler.enable');
  try {
    if (!(await collectsCoverage({ post }).catch(() => true))) {
      await post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
      await post('Profiler.stopPreciseCoverage');
      await post('Profiler.disable');
    }
  } catch {
    // names are less exact then
  }
  return async () => {
    const { objectId } = held;
    if (objectId !== undefined)
      await inspector
        .post('Runtime.callFunctionOn', { objectId, functionDeclaration: 'function () { this.end(); }', silent: true })
        .catch(() => {});
    inspector.post('Runtime.releaseObjectGroup', { objectGroup }).catch(() => {});
  };
}
