/** Where captures are kept and how much of them. Read on the main thread: the worker has no environment. */
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { limits } from '../../protocol/limits.ts';

export interface ArtifactSettings {
  /** Artifacts are kept in `nodeops-UID` in it. */
  readonly directory: string;
  /** Of captures. */
  readonly limitBytes: number;
  /** Of what outlives the process, beside that; 0 in a temporary directory, which ends with the container. */
  readonly keptBytes: number;
  /** What was asked for in vain. */
  readonly notes: readonly string[];
}

/** A quarter of the whole is for what outlives the process, but no more than this. */
const keptShare = 0.25;
const keptBytesLimit = 256 * 1024 * 1024;

/** From NODEOPS_ARTIFACTS_DIR (default: the system's temporary directory) and NODEOPS_ARTIFACTS_SIZE, such as 512Mi. */
export function artifactSettings(environment: Readonly<Record<string, string | undefined>>): ArtifactSettings {
  const { NODEOPS_ARTIFACTS_DIR: directory, NODEOPS_ARTIFACTS_SIZE: size } = environment;
  const bytes = size ? parseSize(size) : undefined;
  const whole = bytes ?? limits.artifactStoreBytes;
  const keptBytes = directory ? Math.min(keptBytesLimit, Math.floor(whole * keptShare)) : 0;
  return {
    directory: directory ? resolve(directory) : tmpdir(),
    limitBytes: whole - keptBytes,
    keptBytes,
    notes:
      size && bytes === undefined
        ? [`NODEOPS_ARTIFACTS_SIZE is '${size}'; ${limits.artifactStoreBytes} bytes are used instead`]
        : [],
  };
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Bytes of a Kubernetes quantity in bytes or its usual units; undefined for anything else. */
function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?)(k|M|G|Ki|Mi|Gi)?$/.exec(text) ?? [];
  return amount === undefined ? undefined : Math.floor(Number(amount) * units[unit]!);
}
