/** What the agents of a pod's containers have kept, served while none of them runs: BASE/CONTAINER/nodeops-UID of the artifact volume. */
import { closeSync, constants, lstatSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { adoptBoxes } from '../../agent/crash/box.ts';
import { folders, isKeptName, Kept } from '../../agent/crash/kept.ts';
import type { KeptSettings } from '../../agent/settings/kept-settings.ts';
import { OpenFile } from '../../agent/store/open-file.ts';
import type { Stores } from '../../agent/store/stores.ts';
import { sidecarContainer } from '../../protocol/attach.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { KeptArtifact } from '../../protocol/history.ts';
import { namesIn, noteUnlessGone, openFolder, unreadable, within } from './folders.ts';

/** Containers, users of one and files of a folder that are told of: more than agents keep. */
export const containersSeen = 100;
const usersSeen = 16;
const filesSeen = 400;
export const containerName = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const storeName = /^nodeops-\d{1,10}$/;
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** The folder of one container below `base`; none where `base` is the container's own. */
interface Place {
  readonly container: string | undefined;
  readonly below: readonly string[];
}
/** Adds to the notes what keeps it from seeing them. */
type Places = (notes: string[]) => readonly Place[];
/** One user's files in it. */
interface Store extends Place {
  readonly name: string;
}

/** For a sidecar, in which BASE has a folder for each container. `settings` null: nothing is kept. */
export function podStores(
  settings: KeptSettings | null,
): ((container: string | undefined) => Stores | undefined) | undefined {
  if (!settings) return undefined;
  const all: Places = (notes) =>
    containersIn(settings.base, notes).map((container) => ({ container, below: [container] }));
  return (container) => {
    if (container === undefined || container === sidecarContainer) return storesAt(settings, all);
    const chosen: Places = (notes) => all(notes).filter((place) => place.container === container);
    return chosen([]).length > 0 ? storesAt(settings, chosen) : undefined;
  };
}

/** For what runs in the container itself: BASE is its own. */
export function ownStores(settings: KeptSettings | null): Stores | undefined {
  return settings ? storesAt(settings, () => [{ container: undefined, below: [] }]) : undefined;
}

function storesAt({ base, limitBytes }: KeptSettings, places: Places): Stores {
  /** What `act` makes of the folder that a name is in, the first that has it. */
  function find<T>(wanted: string, act: (path: string, where: string) => T | undefined): T | undefined {
    const [, container, name] = /^(?:([^/]+)\/)?([^/]+\/[^/]+)$/.exec(wanted) ?? [];
    if (name === undefined || !isKeptName(name)) return undefined;
    const [folder = '', file = ''] = name.split('/');
    const chosen = places([]).filter((place) => container === undefined || place.container === container);
    for (const { below, name: store } of chosen.flatMap((place) => storesIn(base, place, []))) {
      const where = join(base, ...below, store, name);
      try {
        const found = within(base, [...below, store, folder], (path) => act(`${path}/${file}`, where));
        if (found !== undefined) return found;
      } catch (error) {
        if (error instanceof NodeopsError) throw error;
        // another user's, or nothing is kept there: the name may be in the next
      }
    }
    return undefined;
  }

  return {
    directory: base,
    limitBytes,
    list() {
      const notes: string[] = [];
      const stores = places(notes).flatMap((place) => storesIn(base, place, notes));
      const artifacts = stores.flatMap((store) => {
        adopt({ base, limitBytes }, store, notes);
        return folders.flatMap((folder) => filesIn(base, store, folder, notes));
      });
      artifacts.sort((one, other) => other.at.localeCompare(one.at) || other.name.localeCompare(one.name));
      return { artifacts, notes };
    },
    open(wanted) {
      const file = find(wanted, (path, where) => {
        if (!lstatSync(path).isFile()) return undefined;
        return acting(where, () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
      });
      return file === undefined ? undefined : regular(new OpenFile(file));
    },
    remove: (wanted) =>
      find(wanted, (path, where) => {
        const found = lstatSync(path);
        if (!found.isFile()) return undefined;
        acting(where, () => unlinkSync(path));
        return found.size;
      }),
  };
}

/** A file may have been put in the place of what was looked at. */
function regular(file: OpenFile): OpenFile | undefined {
  if (file.isFile) return file;
  file.close();
  return undefined;
}

function containersIn(base: string, notes: string[]): string[] {
  try {
    return namesIn(base, (entry) => entry.isDirectory() && containerName.test(entry.name)).slice(0, containersSeen);
  } catch (error) {
    noteUnlessGone(notes, base, error);
    return [];
  }
}

function storesIn(base: string, place: Place, notes: string[]): Store[] {
  const where = join(base, ...place.below);
  try {
    return within(base, place.below, (path) => {
      const names = namesIn(path, ({ name }) => storeName.test(name)).slice(0, usersSeen);
      return names.flatMap((name): Store[] => {
        const problem = look(`${path}/${name}`, join(where, name));
        if (problem !== undefined) notes.push(problem);
        return problem === undefined ? [{ ...place, name }] : [];
      });
    });
  } catch (error) {
    noteUnlessGone(notes, where, error);
    return [];
  }
}

/** Why a store is left alone; undefined for one that can be read. */
function look(path: string, where: string): string | undefined {
  try {
    const { uid } = lstatSync(path);
    try {
      closeSync(openFolder(path));
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
      return (
        `${where} belongs to user ${uid} and cannot be read by user ${process.getuid?.()}, which looks here: ` +
        'ask while the agent of that container runs, or set one runAsUser for the containers of the pod'
      );
    }
  } catch (error) {
    return unreadable(where, error);
  }
}

function filesIn(
  base: string,
  { container, below, name: store }: Store,
  folder: string,
  notes: string[],
): KeptArtifact[] {
  const where = join(base, ...below, store, folder);
  try {
    return within(base, [...below, store, folder], (path) => {
      const names = namesIn(path, ({ name }) => isKeptName(`${folder}/${name}`));
      if (names.length > filesSeen) notes.push(`${where} has ${names.length} files: ${filesSeen} of them are listed`);
      // names sort by time
      const newest = names.slice(-filesSeen);
      return newest.flatMap((file): KeptArtifact[] => {
        const found = lstatSync(`${path}/${file}`, { throwIfNoEntry: false });
        if (!found?.isFile()) return [];
        const artifact = { name: `${folder}/${file}`, bytes: found.size, at: found.mtime.toISOString() };
        return [container === undefined ? artifact : { ...artifact, container }];
      });
    });
  } catch (error) {
    noteUnlessGone(notes, where, error);
    return [];
  }
}

/** Only of this process's own user: a record of another's would not be its agent's to read or remove. */
function adopt({ base, limitBytes }: KeptSettings, { below, name }: Store, notes: string[]): void {
  if (name !== `nodeops-${process.getuid?.()}`) return;
  try {
    // how many the kernel has killed is counted in the container's own cgroup, which is not to be seen here
    adoptBoxes(new Kept({ base: join(base, ...below), limitBytes }), null, () => null);
  } catch (error) {
    notes.push(`what ended without a word cannot be told of: ${unreadable(join(base, ...below, name), error)}`);
  }
}

function acting<T>(where: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP') throw cause;
    const denied = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    throw new NodeopsError(denied ? 'not-permitted' : 'failed', unreadable(where, cause), {
      cause,
      hint: 'ask while the agent of that container runs',
    });
  }
}
