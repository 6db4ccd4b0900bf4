import { basename } from 'node:path';
console.log(basename(import.meta.url), typeof require);
await new Promise((resolve) => setTimeout(resolve, 20));
console.log('awaited');
