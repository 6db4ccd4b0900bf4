/** Where crash records go: only where NODEOPS_ARTIFACTS_DIR says so, for a temporary directory ends with the container. */

import { artifactSettings } from './artifact-settings.ts';

export interface KeptSettings {
  /** NODEOPS_ARTIFACTS_DIR. */
  readonly base: string;
  /** Of all files in both folders, what is being written included. */
  readonly limitBytes: number;
}

/** For the list of what triggers fired, which is no record and never makes room for one: itself and its successor. */
const ledgerBytes = 128 * 1024;

/** Null where no directory was named. */
export function keptSettings(environment: Readonly<Record<string, string | undefined>>): KeptSettings | null {
  if (!environment.NODEOPS_ARTIFACTS_DIR) return null;
  const { directory, keptBytes } = artifactSettings(environment);
  return { base: directory, limitBytes: keptBytes - Math.min(ledgerBytes, Math.ceil(keptBytes / 4)) };
}
