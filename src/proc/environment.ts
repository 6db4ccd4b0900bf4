/** What a process was started with that costs it speed. */
import type { ProcessEnvironment } from '../protocol/replies.ts';
import { readText } from './files.ts';
import { readThreads } from './threads.ts';

const profiling =
  /(?:^|\s)(--cpu-prof|--heap-prof|--prof|--perf-prof|--perf-basic-prof(?:-only-functions)?|--interpreted-frames-native-stack|--trace-opt|--trace-deopt|--trace-gc)(?=[=\s]|$)/g;
/** The thread that V8 processes the samples of a CPU profile in, whoever takes it. */
const profilerThread = 'v8:ProfEvntProc';

/** Null where the kernel does not show it: another user, or no /proc. */
export function readEnvironment(procDir: string): ProcessEnvironment | null {
  const environ = readText(`${procDir}/environ`);
  const command = readText(`${procDir}/cmdline`);
  if (environ === null || command === null) return null;
  const value = (name: string) => new RegExp(`(?:^|\0)${name}=([^\0]*)`).exec(environ)?.[1];
  const options = `${command.replaceAll('\0', ' ')} ${value('NODE_OPTIONS') ?? ''}`;
  const profilers = new Set([...options.matchAll(profiling)].map(([, flag]) => flag!));
  if (value('NODE_V8_COVERAGE')) profilers.add('NODE_V8_COVERAGE');
  if (readThreads(procDir)?.some(({ comm }) => comm === profilerThread)) profilers.add('a CPU profiler of V8');
  return { nodeEnv: value('NODE_ENV')?.slice(0, 40) ?? null, profilers: [...profilers] };
}
