import { resolve } from 'node:path';
import { release } from '../../scripts/release/run.ts';
import { once } from './once.ts';

/** What is released: NODEOPS_RELEASE_DIR's, as `npm run release:dry` sets it, else this platform's, compressed little, from `npm run build`. */
export function releaseFolder(): Promise<string> {
  const given = process.env.NODEOPS_RELEASE_DIR;
  return given === undefined
    ? once('release', (output) => release({ output, quick: true }))
    : Promise.resolve(resolve(given));
}

/** Whether all platforms are there. */
export const isWhole = process.env.NODEOPS_RELEASE_DIR !== undefined;
export const onlyWhole = 'only npm run release:dry makes it';
