import { evaluateProbe, type LoadModule } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';

/**
 * Whether a thread collects precise coverage (`NODE_V8_COVERAGE`, c8, jest, an inspector session of the app's own), which the
 * end of any profiler session would end for all (an isolate has one mode of coverage). V8 does not tell it, but a function gets
 * its feedback vector at once only then: one with 10,000 call sites shows as a large object (seen on 20, 22, 24, 26).
 */
export function collectsCoverage(inspector: Pick<Inspector, 'post'>): Promise<boolean> {
  return evaluateProbe(inspector as Inspector, coverageProbe, { unique: `${Date.now()}.${Math.random()}` });
}

function coverageProbe({ unique }: { unique: string }, load: LoadModule): boolean {
  if (process.env.NODE_V8_COVERAGE) return true;
  const v8 = load('v8') as typeof import('node:v8');
  const sites = 10_000;
  const look = [
    () => {
      let bytes = 0;
      for (const space of v8.getHeapSpaceStatistics())
        if (space.space_name === 'large_object_space') bytes += space.space_used_size;
      return bytes;
    },
  ][0]!;
  // in parentheses it is compiled at once, and its text is new, for V8 keeps what it has compiled
  const source = `(function (call) { if (call) { ${'call();'.repeat(sites)} } }) // ${unique}`;
  const before = look();
  // biome-ignore lint/security/noGlobalEval: what is evaluated is ours
  const compiled: unknown = globalThis.eval(source);
  // two words a call site; what was collected meanwhile leaves less, and the question open
  return typeof compiled === 'function' && look() - before >= sites * 16;
}
