/** Any profile file into the model, whichever of the formats it is in. */
import { parseCpuProfile } from './cpuprofile.ts';
import { fromPprof } from './from-pprof.ts';
import { type FromV8Options, fromCpuProfile, fromHeapProfile } from './from-v8.ts';
import { gunzipped } from './gunzip.ts';
import { parseHeapProfile } from './heapprofile.ts';
import { mapProfile } from './map-profile.ts';
import type { Profile } from './model.ts';
import { sniff } from './sniff.ts';
import { mapCpuProfile, mapHeapProfile, type SourceMapLookup } from './source-maps.ts';
import { defaultLimits } from './v8-json.ts';

export interface ReadOptions extends Pick<FromV8Options, 'labels' | 'timeMs'> {
  /** Applied to what has not been mapped yet. */
  readonly sourceMaps?: SourceMapLookup;
  /** @default 536870912 */
  readonly limitBytes?: number;
}

/** What kind of profile the bytes are, by their beginning. */
export function detect(bytes: Uint8Array): 'pprof' | 'cpuprofile' | 'heapprofile' {
  const kind = sniff(bytes);
  if (kind === 'cpuprofile' || kind === 'json') return 'cpuprofile';
  return kind === 'heapprofile' ? kind : 'pprof';
}

/** Reads a .pb.gz, .cpuprofile or .heapprofile, gzipped or not. Throws NodeopsError `failed` or `too-large` as their readers do. */
export function readProfile(bytes: Uint8Array, options: ReadOptions = {}): Profile {
  const { sourceMaps = () => undefined, limitBytes, ...rest } = options;
  const limits = limitBytes === undefined ? {} : { limitBytes };
  const kind = detect(bytes);
  if (kind === 'pprof') {
    const profile = fromPprof(bytes, { ...limits, ...(rest.labels ? { labels: rest.labels } : {}) });
    return options.sourceMaps ? mapProfile(profile, sourceMaps) : profile;
  }
  const plain = gunzipped(
    kind === 'cpuprofile' ? 'CPU profile' : 'heap profile',
    bytes,
    limitBytes ?? defaultLimits.limitBytes,
  );
  if (kind === 'cpuprofile') return fromCpuProfile(mapCpuProfile(parseCpuProfile(plain, limits), sourceMaps), rest);
  return fromHeapProfile(mapHeapProfile(parseHeapProfile(plain, limits), sourceMaps), rest);
}
