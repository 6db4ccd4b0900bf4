import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import type { Plugin } from 'esbuild';

/**
 * `import bytes from 'packed:PACKAGE/FOLDER'` gives the files of an npm package's folder inside the bundle, as brotli-compressed
 * JSON of `[name, base64][]`: a single executable has no folder beside it. Files that only a demo needs are left out.
 */
export const packedFolder: Plugin = {
  name: 'packed-folder',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^packed:/ }, ({ path }) => ({
      path: join('node_modules', path.slice('packed:'.length)),
      namespace: 'packed-folder',
    }));
    onLoad({ filter: /.*/, namespace: 'packed-folder' }, async ({ path }) => {
      const names = (await readdir(path)).filter((name) => !/^perf-vertx-|\.map$/.test(name)).sort();
      const files = [...names.map((name) => join(path, name)), join(path, '../../LICENSE')];
      const entries = files.map(async (file) => [
        dirname(file) === path ? relative(path, file) : 'LICENSE',
        (await readFile(file)).toString('base64'),
      ]);
      const packed = await promisify(brotliCompress)(JSON.stringify(await Promise.all(entries)));
      return { contents: packed, loader: 'binary' };
    });
  },
};
