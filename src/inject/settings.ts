import { readFile } from 'node:fs/promises';
import { knownPort } from '../protocol/limits.ts';
import { isTriggersText } from '../protocol/triggers.ts';

/** What the operator decides for the whole cluster: the chart's values, as the webhook reads them from its ConfigMap. */
export interface Settings {
  /** Written to the pod as `nodeops.dev/version`. */
  readonly version: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** How the agent's files reach a pod: Kubernetes mounts the image, or an init container copies them. */
  readonly delivery: 'image-volume' | 'init-container';
  /** @default 8848 */
  readonly port: number;
  /** Room for captures of each container, `0` or a whole number of Mi or Gi. @default '1Gi' */
  readonly artifactsSize: string;
  readonly sidecar: boolean;
  readonly readOnly: boolean;
  /** Trigger rules of pods that have none of their own; empty for none. @default '' */
  readonly triggers: string;
  /** Containers that are left alone unless an annotation names them. */
  readonly excludedContainers: readonly string[];
  /** Secret in the pod's namespace with the agent's token; null for none. */
  readonly tokenSecret: { readonly name: string; readonly key: string } | null;
  readonly resources: { readonly agent: object; readonly sidecar: object };
}

export const defaultSettings: Settings = {
  version: process.env.NODEOPS_VERSION ?? '0.0.0',
  image: `ghcr.io/nodeops/nodeops:${process.env.NODEOPS_VERSION ?? '0.0.0'}`,
  imagePullPolicy: 'IfNotPresent',
  delivery: 'init-container',
  port: knownPort,
  artifactsSize: '1Gi',
  sidecar: false,
  readOnly: false,
  triggers: '',
  excludedContainers: [],
  tokenSecret: null,
  resources: { agent: {}, sidecar: {} },
};

/** Reads settings; what is absent has its default. Throws an Error that names the file and the field that is wrong. */
export async function readSettings(file: string): Promise<Settings> {
  try {
    return parseSettings(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    throw new Error(`settings ${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Checks decoded settings field by field. Throws an Error that names the field. */
export function parseSettings(given: unknown): Settings {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new Error('not a JSON object');
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof Settings] : undefined;
    if (!check) throw new Error(`unknown field '${name}'`);
    if (!check(value)) throw new Error(`field '${name}' cannot be ${JSON.stringify(value)?.slice(0, 100)}`);
  }
  return { ...defaultSettings, ...given };
}

const text = (value: unknown) => typeof value === 'string' && value !== '';
const flag = (value: unknown) => typeof value === 'boolean';
const oneOf =
  (...choices: unknown[]) =>
  (value: unknown) =>
    choices.includes(value);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const checks: Record<keyof Settings, (value: unknown) => boolean> = {
  version: text,
  image: text,
  imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
  delivery: oneOf('image-volume', 'init-container'),
  port: (value) => Number.isInteger(value) && Number(value) >= 1024 && Number(value) <= 65_535,
  artifactsSize: (value) => typeof value === 'string' && sizePattern.test(value),
  sidecar: flag,
  readOnly: flag,
  triggers: (value) => typeof value === 'string' && isTriggersText(value),
  excludedContainers: (value) => Array.isArray(value) && value.every(text),
  tokenSecret: (value) => value === null || (isObject(value) && text(value.name) && text(value.key)),
  resources: (value) => isObject(value) && isObject(value.agent) && isObject(value.sidecar),
};

/** How a size of artifacts is written: units that both engines can multiply. */
export const sizePattern = /^(0|[1-9][0-9]{0,4}(Mi|Gi))$/;
