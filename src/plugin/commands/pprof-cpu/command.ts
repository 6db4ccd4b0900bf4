import { profilingCommand } from '../capture-command.ts';

export const pprofCpu = profilingCommand('pprof-cpu', [
  'pprof-cpu pod/api-0',
  'pprof-cpu pod/api-0 --duration 10s --format cpuprofile --output .',
  'pprof-cpu -l app=api --output profiles/',
  'pprof-cpu pod/api-0 --tool "go tool pprof"',
]);
