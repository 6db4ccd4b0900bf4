import type { Command } from '../cli/command.ts';
import { completion } from './completion.ts';
import { options } from './options.ts';
import { processes } from './processes.ts';
import { readingCommand } from './reading.ts';
import { top } from './top.ts';

/** Every command, in the order of help. */
export const commands: readonly Command[] = [
  readingCommand('stats', ['stats pod/api-0', 'stats 4711', 'stats 127.0.0.1:8848 -o json']),
  readingCommand('memstats', ['memstats pod/api-0']),
  readingCommand('stack', ['stack pod/api-0', 'stack pod/api-0 -c web']),
  readingCommand('process', ['process pod/api-0', 'process pod/api-0 --duration 5s']),
  top,
  processes,
  readingCommand('version', ['version pod/api-0']),
  completion,
  options,
];
