import type { CaptureName } from '../../protocol/captures.ts';
import type { CaptureRunner } from './capture.ts';
import { captureHeapSnapshot } from './heapsnapshot.ts';
import { captureLeaks } from './leaks/capture-leaks.ts';
import { capturePprofCpu } from './pprof-cpu.ts';
import { capturePprofHeap } from './pprof-heap.ts';
import { captureReport } from './report.ts';
import { captureTrace } from './trace.ts';

/** One for each entry of the protocol's table of captures. */
export const captureRunners: { readonly [N in CaptureName]: CaptureRunner<N> } = {
  trace: captureTrace,
  'pprof-cpu': capturePprofCpu,
  'pprof-heap': capturePprofHeap,
  leaks: captureLeaks,
  heapsnapshot: captureHeapSnapshot,
  report: captureReport,
};
