import { commonTypes, copySamples } from '../../../formats/merge.ts';
import { Profile } from '../../../formats/model.ts';

/**
 * The new profile minus the base, scaled, as `go tool pprof -diff_base` makes it: the base's samples are negative and labelled
 * `pprof::base=true`, by which pprof knows what a percentage is of.
 */
export function deltaProfile(base: Profile, next: Profile, scale: number): Profile {
  const delta = new Profile(commonTypes(next, base), next.facts);
  copySamples(base, delta, [{ key: 'pprof::base', text: 'true' }]);
  for (const column of delta.values) for (const [i, value] of column.entries()) column[i] = -Math.round(value * scale);
  copySamples(next, delta);
  return delta;
}
