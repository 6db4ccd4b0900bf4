import { ftruncateSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';
import { bytesShort } from '../../protocol/text/quantities.ts';
import type { ArtifactSettings } from '../settings/artifact-settings.ts';
import { isCapture, openDirectory, removeLeftovers } from '../store/directory.ts';
import { exclusively } from '../store/lock.ts';
import { ownPrefix } from '../store/owner.ts';
import { discard, filesIn, freeOnDisk, makeRoom, onDisk } from '../store/room.ts';
import type { Artifact } from './artifact.ts';
import { FileArtifact, type Quota } from './file-artifact.ts';
import { MemoryArtifact, type MemoryLimits } from './memory-artifact.ts';

/** What a capture gets at a time, or a 64th of a small store: each time the files are counted. */
const stepBytes = 4 * 1024 * 1024;
const tmpfsMagic = 0x01021994;

/** Where the artifacts of one agent are kept: a directory, or memory where none can be written. */
export class ArtifactStore implements Quota {
  readonly #settings: Pick<ArtifactSettings, 'directory' | 'limitBytes'>;
  readonly #memory: Partial<MemoryLimits>;
  readonly #finished = new Set<Artifact>();
  #directory: string | undefined;
  memoryPerByte = 0;

  constructor(settings: Pick<ArtifactSettings, 'directory' | 'limitBytes'>, memory: Partial<MemoryLimits> = {}) {
    this.#settings = settings;
    this.#memory = memory;
  }

  /** A new artifact, and the sentence that says why it is not on disk. */
  create(id: string, extension: string): { artifact: Artifact; note: string | undefined } {
    try {
      this.#directory ??= this.#open();
      if (freeOnDisk(this.#directory) < onDisk(1)) throw new Error('the disk is full');
      const artifact = new FileArtifact(join(this.#directory, `${ownPrefix()}${id}.${extension}`), this);
      return { artifact, note: undefined };
    } catch (error) {
      this.#directory = undefined;
      // memory has room for one that waits to be fetched, not for several
      for (const kept of this.#finished) if (kept.path === null) kept.remove();
      const artifact = new MemoryArtifact(this.#memory);
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      const note = `kept in memory only, since ${this.#settings.directory} cannot be used (${reason}): fetch it while it runs`;
      return { artifact, note };
    }
  }

  /** From now on it may be given up for another one, the oldest first. */
  finished(artifact: Artifact): void {
    for (const kept of this.#finished) if (kept.removed) this.#finished.delete(kept);
    this.#finished.add(artifact);
  }

  reserve({ path, file, reserved, bytes }: { path: string; file: number; reserved: number; bytes: number }): number {
    const directory = dirname(path);
    const { limitBytes } = this.#settings;
    const step = Math.min(stepBytes, onDisk(limitBytes / 64));
    const wanted = onDisk(bytes) - reserved;
    return exclusively(directory, () => {
      const room = (asked: number, mayGo: (name: string) => boolean) =>
        makeRoom({
          folders: [directory],
          limitBytes,
          bytes: asked,
          mayGo: ({ name }) => mayGo(name),
          remove: (gone) => this.#giveUp(gone.path),
        });
      let left = room(wanted + step, () => false);
      if (left < wanted) {
        removeLeftovers(directory);
        left = room(wanted, (name) => isCapture(name) && !name.endsWith('.part'));
      }
      if (left < wanted) throw this.#noSpace(directory, path, wanted);
      const length = reserved + Math.min(wanted + step, Math.floor(left / 4_096) * 4_096);
      ftruncateSync(file, length);
      return length;
    });
  }

  gone(artifact: Artifact): void {
    this.#finished.delete(artifact);
  }

  #giveUp(path: string): void {
    const own = [...this.#finished].find((artifact) => artifact.path === path);
    if (own) own.remove();
    else discard(path);
  }

  #noSpace(directory: string, path: string, wanted: number): NodeopsError {
    if (freeOnDisk(directory) < wanted)
      return new NodeopsError(
        'no-space',
        `the disk under ${directory} is almost full: nothing of this capture is kept`,
        {
          hint: 'give the pod an artifact volume (annotation nodeops.dev/artifacts-size), or capture for a shorter time',
        },
      );
    const others = filesIn([directory]).filter((file) => file.path !== `${path}.part`);
    const taken = others.reduce((sum, file) => sum + file.bytes, 0);
    const elsewhere =
      others.length > 0
        ? `, of which ${others.length === 1 ? 'one more has' : `${others.length} more have`} ${bytesShort(taken)}`
        : '';
    return new NodeopsError(
      'no-space',
      `captures may take ${bytesShort(this.#settings.limitBytes)} in ${directory}${elsewhere}: nothing of this one is kept`,
      { hint: 'raise NODEOPS_ARTIFACTS_SIZE (annotation nodeops.dev/artifacts-size), or capture for a shorter time' },
    );
  }

  #open(): string {
    const directory = openDirectory(this.#settings.directory);
    removeLeftovers(directory);
    this.memoryPerByte = statfsSync(directory).type === tmpfsMagic ? 1 : 0;
    return directory;
  }
}
