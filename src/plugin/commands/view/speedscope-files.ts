import { brotliDecompressSync } from 'node:zlib';
import packed from 'packed:speedscope/dist/release';

/** Files by name. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** speedscope (https://github.com/jlfwong/speedscope, MIT licence) as its npm package ships it, out of our own bundle. */
export function speedscopeFiles(): Files {
  const entries = JSON.parse(brotliDecompressSync(packed).toString()) as [name: string, base64: string][];
  return new Map(entries.map(([name, base64]) => [name, Buffer.from(base64, 'base64')]));
}
