/** What the conformance tests share: the recordings, the objects they were made with, and what differs between two servers. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Json } from './api/types.ts';

export const recordings = <T = Json>(name: string): T[] =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/kubernetes/${name}.json`, import.meta.url)), 'utf8'));

const rest = recordings('rest');

/** Objects as they were applied when the recordings were made, from the annotation that kubectl left. */
export function recordedManifest(exchange: string): Json {
  const { body } = rest.find(({ name }) => name === exchange).response;
  return applied(body);
}

/** Manifests of the rows of the recorded Table of pods. */
export function recordedPods(): Json[] {
  const { rows } = rest.find(({ name }) => name === 'pod-list-as-table').response.body;
  return rows.map((row: Json) => applied(row.object)).filter(Boolean);
}

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

function applied({ metadata }: Json): Json {
  const text: string | undefined = metadata.annotations?.[annotation];
  if (!text) return undefined;
  const manifest = JSON.parse(text);
  manifest.metadata.annotations = { ...manifest.metadata.annotations, [annotation]: text };
  return manifest;
}

/** What is drawn, counted or measured, and therefore another on every server. */
const variable: [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'UID'],
  [/\b[0-9a-f]{64}\b/g, 'ID'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-X'],
  [/10\.88\.\d+\.\d+/g, 'ADDRESS'],
  [/10\.96\.\d+\.\d+/g, 'SERVICE'],
  [/web-[a-z0-9]{8,10}(-[a-z0-9]{5})?\b/g, 'web-X'],
  [/("pod-template-hash":)"[a-z0-9]{8,10}"/g, '$1"X"'],
  [/("resourceVersion":)"\d+"/g, '$1"N"'],
  [/((?:oom|crash)-0)\.[0-9a-f]{16}/g, '$1.X'],
  [/default-scheduler-\w+/g, 'default-scheduler-NODE'],
];

/** The text with everything that differs between two servers taken out. Field order stays. */
export function normalized(value: Json): string {
  let text = JSON.stringify(value);
  for (const [pattern, replacement] of variable) text = text.replace(pattern, replacement);
  // a field a line, so that a difference can be read
  return text.replaceAll(',"', ',\n"');
}
