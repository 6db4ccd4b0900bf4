/** Which containers of a pod are meant. */
import type { Wishes } from './annotations.ts';
import { containers } from './paths.ts';
import type { Container, Pod } from './pod.ts';
import type { Settings } from './settings.ts';

/** A container by its place in the pod. */
export interface Place {
  readonly list: 'initContainers' | 'containers';
  readonly index: number;
  readonly container: Container;
}

/** Containers that the pod names, init containers among them; without names those of `defaultPlaces`. */
export function chosenPlaces(pod: Pod, settings: Settings, wishes: Wishes): Place[] {
  const names = wishes.containers;
  if (!names) return defaultPlaces(pod, settings);
  const ours: readonly string[] = Object.values(containers);
  return [...placesOf(pod, 'initContainers'), ...placesOf(pod, 'containers')].filter(
    ({ container: { name } }) => names.includes(name) && !ours.includes(name),
  );
}

/** All that run the app: no init containers and none that the settings exclude. */
export function defaultPlaces(pod: Pod, settings: Settings): Place[] {
  return placesOf(pod, 'containers').filter(({ container: { name } }) => !settings.excludedContainers.includes(name));
}

/** Names that the pod asks for and does not have. */
export function unknownNames(pod: Pod, wishes: Wishes): string[] {
  const known = [...placesOf(pod, 'initContainers'), ...placesOf(pod, 'containers')].map(
    (place) => place.container.name,
  );
  return (wishes.containers ?? []).filter((name) => !known.includes(name));
}

function placesOf(pod: Pod, list: Place['list']): Place[] {
  return (pod.spec[list] ?? []).map((container, index) => ({ list, index, container }));
}
