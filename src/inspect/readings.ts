import { readExceptions } from './readings/exceptions.ts';
import { readMemstats } from './readings/memstats.ts';
import { readProcess } from './readings/process.ts';
import { readRequests } from './readings/requests.ts';
import { readStack } from './readings/stack.ts';
import { readStats } from './readings/stats.ts';
import { readWaits } from './readings/waits.ts';
import type { Readings } from './subject.ts';

/** What can be read from one process; each answers within limits.readDeadlineMs plus the time it was asked to watch. */
export const readings: Readings = {
  process: readProcess,
  stats: readStats,
  memstats: readMemstats,
  stack: readStack,
  waits: readWaits,
  requests: readRequests,
  exceptions: readExceptions,
};
