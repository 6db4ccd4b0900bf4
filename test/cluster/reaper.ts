/** Removes what a cluster leaves on disk, even when the process that started it is killed with SIGKILL. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Reaper {
  /** Control groups to remove as well. */
  watch(cgroups: readonly string[]): void;
  /** Cleans up now. */
  reap(): Promise<void>;
}

/**
 * A shell in a session of its own that waits for the end of its input, which the kernel closes with us whatever kills us. It is
 * told control groups line by line; processes in them can take a moment to die, so it tries for a while.
 */
const script = `groups=
while read -r line; do groups="$groups $line"; done
for try in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for group in $groups; do
    [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} \\; 2>/dev/null
    [ -d "$group" ] && left=yes
  done
  rm -rf "$1" 2>/dev/null
  [ -z "$left" ] && [ ! -e "$1" ] && exit 0
  sleep 0.2
done`;

export function startReaper(directory: string): Reaper {
  const shell = spawn('/bin/sh', ['-c', script, 'sh', directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  shell.stdin.on('error', () => {});
  const exit = once(shell, 'exit');
  // an input that is held open must not keep this process alive
  (shell.stdin as unknown as { unref(): void }).unref();
  return {
    watch: (cgroups) => {
      for (const group of cgroups) shell.stdin.write(`${group}\n`);
    },
    reap: async () => {
      shell.ref();
      shell.stdin.end();
      await exit;
    },
  };
}
