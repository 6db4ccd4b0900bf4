import type { Command } from '../cli/command.ts';
import { artifacts } from './artifacts/command.ts';
import { bundle } from './bundle/command.ts';
import { completion } from './completion/command.ts';
import { diff } from './diff/command.ts';
import { disable } from './disable/command.ts';
import { doctor } from './doctor/command.ts';
import { enable } from './enable/command.ts';
import { heapsnapshot } from './heapsnapshot/command.ts';
import { help } from './help/command.ts';
import { history } from './history/command.ts';
import { leaks } from './leaks/command.ts';
import { processes } from './list/command.ts';
import { options } from './options/command.ts';
import { postmortem } from './postmortem/command.ts';
import { pprofCpu } from './pprof-cpu/command.ts';
import { pprofHeap } from './pprof-heap/command.ts';
import { process } from './process/command.ts';
import { readingCommand } from './reading-command.ts';
import { report } from './report/command.ts';
import { setgc } from './setgc/command.ts';
import { smoke } from './smoke/command.ts';
import { stack } from './stack/command.ts';
import { top } from './top/command.ts';
import { trace } from './trace/command.ts';
import { tree } from './tree/command.ts';
import { view } from './view/command.ts';
import { waits } from './waits/command.ts';
import { why } from './why/command.ts';

/** Every command, in the order of help. */
export const commands: readonly Command[] = [
  why,
  readingCommand('stats', ['stats pod/api-0', 'stats 4711', 'stats 127.0.0.1:8848 -o json']),
  readingCommand('memstats', ['memstats pod/api-0']),
  stack,
  waits,
  readingCommand('exceptions', ['exceptions pod/api-0', 'exceptions pod/api-0 --caught', 'exceptions -l app=api']),
  readingCommand('requests', ['requests pod/api-0', 'requests -l app=api', 'requests 4711 --window 10s']),
  history,
  postmortem,
  artifacts,
  process,
  top,
  pprofCpu,
  pprofHeap,
  diff,
  leaks,
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
  help,
  options,
];
