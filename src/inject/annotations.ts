/** What a pod asks for, read from its annotations. A value that makes no sense is said, and falls back to the setting; one that would allow less is taken so. */
import { annotationPrefix, type wishAnnotations } from '../protocol/annotations.ts';
import { isTriggersText } from '../protocol/triggers.ts';
import type { Pod } from './pod.ts';
import { type Settings, sizePattern } from './settings.ts';

export interface Wishes {
  /** Names from `nodeops.dev/containers`; undefined when the annotation is absent, empty for no container at all. */
  readonly containers: readonly string[] | undefined;
  readonly port: string;
  readonly sidecar: boolean;
  /** Room for captures of each container, in MiB; undefined when the pod does not say. */
  readonly artifactsMebibytes: number | undefined;
  readonly image: string;
  readonly readOnly: boolean;
  /** Trigger rules, not parsed; empty for none. */
  readonly triggers: string;
  /** ConfigMap of the pod's namespace with trigger rules. */
  readonly triggersConfigMap: string | undefined;
  /** Sentences about values that were not understood. */
  readonly notes: readonly string[];
}

/**
 * Whether a pod asks for the agent: by its own annotation, or by its namespace's label when it has none.
 * A mirror pod is the kubelet's report of a static pod: changing it would only confuse the kubelet.
 */
export function asks(pod: Pod, namespaceAsks: boolean): boolean {
  const annotations = pod.metadata?.annotations ?? {};
  if (Object.hasOwn(annotations, 'kubernetes.io/config.mirror')) return false;
  const own = annotations[`${annotationPrefix}inject`];
  return own === undefined ? namespaceAsks : own === 'true';
}

export function readWishes(pod: Pod, settings: Settings): Wishes {
  const notes: string[] = [];
  const read = <T>(
    name: keyof typeof wishAnnotations,
    parse: (text: string) => T | undefined,
    takes: string,
    otherwise: T,
  ): T => {
    const text = pod.metadata?.annotations?.[annotationPrefix + name];
    if (text === undefined) return otherwise;
    const value = parse(text);
    if (value === undefined) {
      const became = name === 'read-only' ? 'taken as true' : 'ignored';
      notes.push(`pod: ${annotationPrefix}${name} was ${became}, it takes ${takes}`);
    }
    return value ?? otherwise;
  };
  return {
    containers: read<string[] | undefined>('containers', parseNames, 'names', undefined),
    port: read('port', parsePort, 'a port from 1024 to 65535', String(settings.port)),
    sidecar: read('sidecar', parseFlag, 'true or false', settings.sidecar),
    artifactsMebibytes: read<number | undefined>('artifacts-size', parseMebibytes, '0, NMi or NGi', undefined),
    image: read('image', parseImage, 'an image reference', settings.image),
    // whoever wrote it wanted to say something about effects: they are allowed by `false` alone
    readOnly: read('read-only', parseFlag, 'true or false', settings.readOnly) || isOdd(pod, 'read-only'),
    triggers: read('triggers', parseTriggers, 'rules of at most 4096 characters without $', settings.triggers),
    triggersConfigMap: read<string | undefined>(
      'triggers-configmap',
      parseConfigMap,
      'the name of a ConfigMap',
      undefined,
    ),
    notes,
  };
}

/** Whether a flag is given and is none. */
function isOdd(pod: Pod, name: string): boolean {
  const text = pod.metadata?.annotations?.[annotationPrefix + name];
  return text !== undefined && parseFlag(text) === undefined;
}

/** `0`, `512Mi` or `2Gi` in MiB; undefined for anything else. */
export function parseMebibytes(text: string): number | undefined {
  if (!sizePattern.test(text)) return undefined;
  return text.endsWith('Gi') ? Number.parseInt(text, 10) * 1024 : Number.parseInt(text, 10);
}

/** A DNS subdomain name (RFC 1123), as Kubernetes names objects. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const parseFlag = (text: string) => (text === 'true' ? true : text === 'false' ? false : undefined);
const parseImage = (text: string) => (/^[!-~]{1,512}$/.test(text) ? text : undefined);
const parseTriggers = (text: string) => (isTriggersText(text) ? text : undefined);
const parseConfigMap = (text: string) => (text.length <= 253 && subdomain.test(text) ? text : undefined);
const parsePort = (text: string) =>
  /^[1-9][0-9]{3,4}$/.test(text) && Number(text) >= 1024 && Number(text) <= 65_535 ? text : undefined;
const parseNames = (text: string) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
