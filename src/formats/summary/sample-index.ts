import { NodeopsError } from '../../protocol/errors.ts';
import { defaultColumn } from '../diff.ts';
import type { Profile } from '../model.ts';

/**
 * The column that `sample_index=TEXT` names: a number from 0, a type (`cpu`, `inuse_space`), or for heap profiles a type without
 * `inuse_` or `alloc_`; empty for the one shown first. Throws NodeopsError `usage` listing the choices.
 */
export function sampleIndex(profile: Profile, text: string): number {
  if (text === '') return defaultColumn(profile);
  const types = profile.sampleTypes.map(({ type }) => type);
  if (/^\d{1,4}$/.test(text) && Number(text) < types.length) return Number(text);
  const exact = types.indexOf(text);
  const index = exact >= 0 ? exact : types.findLastIndex((type) => type.replace(/^(?:inuse|alloc)_/, '') === text);
  if (index >= 0) return index;
  throw new NodeopsError('usage', `the profile has no sample type '${text}'; it has ${types.join(', ')}`);
}
