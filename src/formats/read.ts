/** Any profile file into the model, whichever of the formats it is in. */
import { parseCpuProfile } from './cpuprofile.ts';
import { fromPprof, isGzip } from './from-pprof.ts';
import { type FromV8Options, fromCpuProfile, fromHeapProfile } from './from-v8.ts';
import { parseHeapProfile } from './heapprofile.ts';
import type { Profile } from './model.ts';
import { mapCpuProfile, mapHeapProfile, type SourceMapLookup } from './source-maps.ts';

export interface ReadOptions extends Pick<FromV8Options, 'labels' | 'timeMs'> {
  /** Applied to V8's formats; a pprof profile has its names already. */
  readonly sourceMaps?: SourceMapLookup;
  /** @default 536870912 */
  readonly limitBytes?: number;
}

/** What kind of file the bytes are, by their beginning. */
export function detect(bytes: Uint8Array): 'pprof' | 'cpuprofile' | 'heapprofile' {
  if (isGzip(bytes)) return 'pprof';
  const start = new TextDecoder().decode(bytes.subarray(0, 512)).trimStart();
  if (!start.startsWith('{')) return 'pprof';
  return /^\{\s*"(?:head|samples)"/.test(start) && !/^\{\s*"samples"\s*:\s*\[\s*\d/.test(start)
    ? 'heapprofile'
    : 'cpuprofile';
}

/** Reads a .pb.gz, .cpuprofile or .heapprofile. Throws NodeopsError `failed` or `too-large` as their readers do. */
export function readProfile(bytes: Uint8Array, options: ReadOptions = {}): Profile {
  const { sourceMaps = () => undefined, limitBytes, ...rest } = options;
  const limits = limitBytes === undefined ? {} : { limitBytes };
  switch (detect(bytes)) {
    case 'pprof':
      return fromPprof(bytes, { ...limits, ...(rest.labels ? { labels: rest.labels } : {}) });
    case 'cpuprofile':
      return fromCpuProfile(mapCpuProfile(parseCpuProfile(bytes, limits), sourceMaps), rest);
    case 'heapprofile':
      return fromHeapProfile(mapHeapProfile(parseHeapProfile(bytes, limits), sourceMaps), rest);
  }
}
