import { profilingCommand } from '../capture-command.ts';

export const pprofHeap = profilingCommand('pprof-heap', [
  'pprof-heap pod/api-0',
  'pprof-heap pod/api-0 --alloc --duration 1m',
  'pprof-heap pod/api-0 --format heapprofile --output heap.heapprofile',
]);
