/** Where crash records go: only where NODEOPS_ARTIFACTS_DIR says so, for a temporary directory ends with the container. */
import { artifactSettings } from '../jobs/settings.ts';
import type { KeptSettings } from './kept.ts';

/** Of the artifact directory's limit, at most: what captures take comes on top. */
const share = 0.25;
const standardBytes = 256 * 1024 * 1024;

/** Null where no directory was named. */
export function keptSettings(environment: Readonly<Record<string, string | undefined>>): KeptSettings | null {
  if (!environment.NODEOPS_ARTIFACTS_DIR) return null;
  const { directory, limitBytes } = artifactSettings(environment);
  return { base: directory, limitBytes: Math.min(standardBytes, Math.floor(limitBytes * share)) };
}
