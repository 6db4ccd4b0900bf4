import { writeSync } from 'node:fs';

export function spinInModule() {
  for (;;);
}

process.stdin.once('data', () => spinInModule());
writeSync(1, 'up\n');
