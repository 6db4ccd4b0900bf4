/**
 * Pod in, pod out: the whole of what `nodeops.dev/inject` does, as a pure function. The policy in the chart says the same in CEL;
 * test/inject/cases is the table that both are held to. The result depends on the pod's final state only, so it can be repeated
 * after other injectors, and a second time changes nothing.
 */
import { annotationPrefix } from '../protocol/annotations.ts';
import { asks, parseMebibytes, readWishes, type Wishes } from './annotations.ts';
import { type PatchOperation, PodEditor } from './editor.ts';
import { insertAll } from './insert.ts';
import { chosenPlaces, defaultPlaces, type Place, unknownNames } from './places.ts';
import type { Container, Pod } from './pod.ts';
import { containerReason, podReason, sidecarReason } from './reasons.ts';
import type { Settings } from './settings.ts';

export interface MutationRequest {
  readonly settings: Settings;
  /** Whether the pod's namespace carries the label that asks for all its pods. */
  readonly namespaceAsks: boolean;
}

export interface Mutation {
  readonly pod: Pod;
  readonly patch: readonly PatchOperation[];
  /** Sentences about what was left alone. */
  readonly warnings: readonly string[];
  /** What `nodeops.dev/skipped` says; undefined when nothing was left alone or the pod did not ask. */
  readonly statusAnnotation: string | undefined;
}

/** Characters of `nodeops.dev/skipped`. */
const statusLimit = 1_024;

export function mutate(pod: Pod, { settings, namespaceAsks }: MutationRequest): Mutation {
  if (!asks(pod, namespaceAsks)) return { pod, patch: [], warnings: [], statusAnnotation: undefined };
  const editor = new PodEditor(pod);
  const wishes = readWishes(pod, settings);
  const refusal = podReason(pod, wishes.port);
  const notes = refusal ? [refusal] : inject(editor, settings, wishes);
  // characters are Unicode's, as in CEL
  const status = notes.length > 0 ? [...notes.join('; ')].slice(0, statusLimit).join('') : undefined;
  const annotation = ['metadata', 'annotations', `${annotationPrefix}skipped`];
  if (status) editor.set(annotation, status);
  else editor.remove(annotation);
  return { pod: editor.pod, patch: editor.patch, warnings: notes, statusAnnotation: status };
}

/** Edits the pod; returns what was left alone. */
function inject(editor: PodEditor, settings: Settings, wishes: Wishes): string[] {
  const { pod } = editor;
  const notes = [...wishes.notes, ...unknownNames(pod, wishes).map((name) => `${name}: the pod has no such container`)];
  const targets: Place[] = [];
  for (const place of chosenPlaces(pod, settings, wishes)) {
    const reason = containerReason(place.container);
    if (reason) notes.push(reason);
    else targets.push(place);
  }
  const noSidecar = wishes.sidecar ? sidecarReason(pod) : undefined;
  if (noSidecar) notes.push(noSidecar);
  const sidecar = wishes.sidecar && !noSidecar;
  if (targets.length === 0 && !sidecar) return notes;

  const limited = targets.find(({ container }) => container.resources?.limits?.['ephemeral-storage'] !== undefined);
  if (limited && wishes.artifactsMebibytes === undefined)
    notes.push(
      `${limited.container.name}: no artifact volume as its ephemeral storage is limited, set ${annotationPrefix}artifacts-size`,
    );
  const app = (targets.find(({ list }) => list === 'containers') ?? defaultPlaces(pod, settings)[0])?.container;
  const user = idOf(pod, app, 'runAsUser');
  if (sidecar && user === undefined)
    notes.push('sidecar: set runAsUser, it sees only processes of the user it runs as');
  insertAll(editor, targets, sidecar, {
    settings,
    wishes,
    artifactsMebibytes: wishes.artifactsMebibytes ?? (limited ? 0 : parseMebibytes(settings.artifactsSize)!),
    writers: targets.length + (sidecar ? 1 : 0),
    user,
    group: idOf(pod, app, 'runAsGroup'),
    budgeted: pod.spec.resources !== undefined && pod.spec.resources !== null,
  });
  return notes;
}

function idOf(pod: Pod, app: Container | undefined, id: 'runAsUser' | 'runAsGroup'): number | undefined {
  return app?.securityContext?.[id] ?? pod.spec.securityContext?.[id];
}
