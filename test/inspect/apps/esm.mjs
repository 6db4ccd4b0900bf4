import { writeSync } from 'node:fs';

export function spinInModule() {
  writeSync(3, 'going');
  for (;;);
}

process.stdin.once('data', () => spinInModule());
writeSync(1, 'up\n');
