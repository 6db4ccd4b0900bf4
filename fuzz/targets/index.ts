import type { Target } from '../fuzz.ts';
import { cpuprofile, heapprofile, pprofTarget, traceTarget } from './profiles.ts';
import { sourceMap } from './source-maps.ts';

/** Every target by the name it has on the command line. */
export const targets: Readonly<Record<string, Target>> = {
  pprof: pprofTarget,
  cpuprofile,
  heapprofile,
  trace: traceTarget,
  'source-map': sourceMap,
};
