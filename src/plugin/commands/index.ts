import type { Command } from '../cli/command.ts';
import { artifacts } from './artifacts.ts';
import { bundle } from './bundle.ts';
import { completion } from './completion.ts';
import { diff } from './diff.ts';
import { disable } from './disable.ts';
import { doctor } from './doctor.ts';
import { enable } from './enable.ts';
import { heapsnapshot } from './heapsnapshot.ts';
import { history } from './history.ts';
import { options } from './options.ts';
import { postmortem } from './postmortem.ts';
import { pprofCpu } from './pprof-cpu.ts';
import { pprofHeap } from './pprof-heap.ts';
import { process } from './process.ts';
import { processes } from './processes.ts';
import { readingCommand } from './reading.ts';
import { report } from './report.ts';
import { setgc } from './setgc.ts';
import { smoke } from './smoke.ts';
import { top } from './top.ts';
import { trace } from './trace.ts';
import { tree } from './tree.ts';
import { view } from './view.ts';
import { waits } from './waits.ts';

/** Every command, in the order of help. */
export const commands: readonly Command[] = [
  readingCommand('stats', ['stats pod/api-0', 'stats 4711', 'stats 127.0.0.1:8848 -o json']),
  readingCommand('memstats', ['memstats pod/api-0']),
  readingCommand('stack', ['stack pod/api-0', 'stack pod/api-0 -c web']),
  waits,
  history,
  postmortem,
  artifacts,
  process,
  top,
  pprofCpu,
  pprofHeap,
  diff,
  heapsnapshot,
  readingCommand('gc', ['gc pod/api-0']),
  setgc,
  trace,
  report,
  view,
  processes,
  tree,
  readingCommand('version', ['version pod/api-0']),
  doctor,
  enable,
  disable,
  smoke,
  bundle,
  completion,
  options,
];
