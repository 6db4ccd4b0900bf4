/** libuv's thread pool is the app's: where its threads are busy, what waits for it waits for ever. */
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { bundledText, shared } from '../../scripts/agent-bundle.ts';

/** What each module has that does its work on the thread that calls it. */
const atOnce: Record<string, RegExp> = {
  'node:fs': /Sync$|^constants$/,
  'node:zlib': /Sync$|^constants$/,
  'node:crypto': /^(?:createHash|createHmac|randomBytes|randomUUID|timingSafeEqual|hash)$/,
};
/** Nothing of these does. */
const never = new Set(['node:fs/promises', 'node:dns', 'node:dns/promises']);
/** zlib used by what is not public of it, at once (its head says how); and the reading of the pool itself, that waits 100 ms for it. */
const reviewed = new Set([
  'src/inspect/pool.ts',
  'src/agent/captures/compressor.ts',
  'src/agent/captures/memory-artifact.ts',
]);

/** Source files of ours that are in the agent: what runs in the app's process. */
async function sources(): Promise<string[]> {
  const inputs = new Set<string>();
  const plugins = [
    bundledText(({ inputs: found }) => {
      for (const input of Object.keys(found)) inputs.add(input);
    }),
  ];
  const entryPoints = ['src/agent/entry/preload.ts', 'src/agent/entry/index.ts'];
  const options = {
    ...shared,
    entryPoints,
    plugins,
    write: false,
    metafile: true,
    outdir: 'dist',
    format: 'cjs',
  } as const;
  const { metafile } = await build(options);
  for (const input of Object.keys(metafile!.inputs)) inputs.add(input);
  return [...inputs].filter((input) => input.startsWith('src/') && input.endsWith('.ts'));
}

it('the agent waits for no thread of the pool', async () => {
  const files = await sources();
  expect(files.length).toBeGreaterThan(50);
  const wrong: string[] = [];
  for (const file of files) {
    const source = await readFile(file, 'utf8');
    const imports = source.matchAll(
      /import (type )?(?:\* as (\w+)|\{([^}]*)\}|(\w+))(?:, \{([^}]*)\})? from '(node:[^']+)'/g,
    );
    for (const [, isType, all, named = '', whole, more = '', module] of imports) {
      if (isType || reviewed.has(file)) continue;
      if (never.has(module!)) wrong.push(`${file}: ${module}`);
      if (!(module! in atOnce)) continue;
      if (all || whole) wrong.push(`${file}: all of ${module}`);
      const names = `${named},${more}`.split(',').map((name) => name.trim().split(' as ')[0]!);
      for (const name of names)
        if (name && !name.startsWith('type ') && !atOnce[module!]!.test(name))
          wrong.push(`${file}: ${name} of ${module}`);
    }
  }
  expect(wrong).toEqual([]);
});
