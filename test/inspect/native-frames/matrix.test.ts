import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type NodeMajor, nodes } from '../harness/app.ts';
import { apps, framesOf, Looked, lineOf } from './app.ts';

/** What blocks, and the function in C++ that the innermost line names. */
const kinds = {
  execSync: 'spawn',
  spawnSync: 'spawn',
  pbkdf2Sync: 'run',
  scryptSync: 'run',
  'JSON.parse': 'JSON.parse',
  'JSON.stringify': 'JSON.stringify',
  fifo: 'open',
  gzipSync: 'writeSync',
  'Atomics.wait': 'Atomics.wait',
  'v8.serialize': 'writeValue',
  compile: 'compileFunction',
  addon: 'transform',
} as const;
/** In turn, so that each kind is seen from each of them on one major or another. */
const chains = ['classes', 'getter', 'hot'];

const cases = Object.keys(nodes).flatMap((major, i) =>
  Object.entries(kinds).map(([kind, name], j) => ({ major, kind, name, chain: chains[(i + j) % chains.length]! })),
);

it.each(cases)(
  'Node $major: shows the frames under $kind, as V8 tells them ($chain)',
  async ({ major, kind, name, chain }) => {
    const app = new Looked(nodes[Number(major) as NodeMajor], [join(apps, 'blocked.cjs'), chain, kind]);
    try {
      const told = framesOf(JSON.parse(await app.firstLine()) as string);
      const frames = await app.framesOnceIn(name);
      expect(frames[0]?.kind).toBe('builtin');
      const own = frames.slice(frames.findIndex((frame) => frame.function === 'stuck'));
      // the function that asked V8 stood where the native one stands now
      expect(own.filter((frame) => frame.kind === 'script').map(lineOf)).toEqual(told.slice(1));
      expect(own.filter((frame) => frame.kind === 'script' && !frame.isExact)).toEqual([]);
    } finally {
      await app.end();
    }
  },
);

it.each(Object.keys(nodes))('Node %s: reads frames of baseline code', async (major) => {
  const app = new Looked(nodes[Number(major) as NodeMajor], [
    '--always-sparkplug',
    join(apps, 'blocked.cjs'),
    'classes',
    'execSync',
  ]);
  try {
    const told = framesOf(JSON.parse(await app.firstLine()) as string);
    const frames = await app.framesOnceIn('spawn');
    const own = frames.slice(frames.findIndex((frame) => frame.function === 'stuck'));
    expect(own.filter((frame) => frame.kind === 'script').map(lineOf)).toEqual(told.slice(1));
  } finally {
    await app.end();
  }
});
