/** Goes into the plugin's bundle: finds the parts that were left out of it, in the executable or in the folder beside the script. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { compileFunction } from 'node:vm';

/** What a part exports; evaluated at the first call for it, which the bundle makes when it is imported. */
export function loadChunk(name: string): Record<string, unknown> {
  const source = isSea() ? getAsset(name, 'utf8') : readFileSync(join(__dirname, 'chunks', name), 'utf8');
  const chunk = { exports: {} };
  const require = createRequire(isSea() ? process.execPath : __filename);
  compileFunction(source, ['module', 'exports', 'require'], { filename: name })(chunk, chunk.exports, require);
  return chunk.exports;
}
