import type { Target } from '../fuzz.ts';
import { heapsnapshot } from './heap-snapshots.ts';
import { cpuprofile, heapprofile, pprofTarget, traceTarget } from './profiles.ts';
import { sourceMap } from './source-maps.ts';
import { kubernetes, masking, membership, printing, reply } from './wire.ts';

/** Every target by the name it has on the command line. */
export const targets: Readonly<Record<string, Target>> = {
  pprof: pprofTarget,
  cpuprofile,
  heapprofile,
  heapsnapshot,
  trace: traceTarget,
  'source-map': sourceMap,
  reply,
  printing,
  membership,
  kubernetes,
  masking,
};
