/** `npm run release:dry [-- --image-base OCI-LAYOUT]`: everything that is published, in dist/release, and every test of installing it. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { release } from './run.ts';

const { values } = parseArgs({ options: { 'image-base': { type: 'string' } } });
const output = 'dist/release';
const start = Date.now();
await release({ output, imageBase: values['image-base'] });
console.log(`${output} made in ${Math.round((Date.now() - start) / 1000)}s`);
const env = {
  ...process.env,
  NODEOPS_RELEASE_DIR: output,
  ...(values['image-base'] === undefined ? {} : { NODEOPS_IMAGE_BASE: values['image-base'] }),
};
const { status } = spawnSync('npx', ['vitest', 'run', 'test/release'], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
