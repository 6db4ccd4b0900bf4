import type { Readings } from '../subject.ts';
import { readExceptions } from './exceptions.ts';
import { readMemstats } from './memstats.ts';
import { readProcess } from './process.ts';
import { readRequests } from './requests.ts';
import { readStack } from './stack.ts';
import { readStats } from './stats.ts';
import { readWaits } from './waits.ts';

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
