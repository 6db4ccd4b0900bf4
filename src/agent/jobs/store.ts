import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Artifact } from './artifact.ts';
import { openDirectory, ownPrefix, removeLeftovers } from './directory.ts';
import { FileArtifact, type Quota } from './file-artifact.ts';
import { MemoryArtifact, type MemoryLimits } from './memory-artifact.ts';
import type { ArtifactSettings } from './settings.ts';

/** Free space is looked at again after so many bytes. */
const lookBytes = 4 * 1024 * 1024;
/** What is left to the app of a disk that it shares with us: this much, or a twentieth of a small one. */
const reserveBytes = 64 * 1024 * 1024;
const tmpfsMagic = 0x01021994;

/** Where the artifacts of one agent are kept: a directory, or memory where none can be written. */
export class ArtifactStore implements Quota {
  readonly #settings: ArtifactSettings;
  readonly #memory: Partial<MemoryLimits>;
  readonly #finished = new Set<Artifact>();
  #directory: string | undefined;
  #usedBytes = 0;
  #sinceLook = Number.POSITIVE_INFINITY;
  memoryPerByte = 0;

  constructor(settings: ArtifactSettings, memory: Partial<MemoryLimits> = {}) {
    this.#settings = settings;
    this.#memory = memory;
  }

  /** A new artifact, and the sentence that says why it is not on disk. */
  create(id: string, extension: string): { artifact: Artifact; note: string | undefined } {
    try {
      this.#directory ??= this.#open();
      const artifact = new FileArtifact(join(this.#directory, `${ownPrefix()}${id}.${extension}`), this);
      this.#sinceLook = Number.POSITIVE_INFINITY;
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

  claim(bytes: number): void {
    while (this.#usedBytes + bytes > this.#settings.limitBytes) {
      if (!this.#giveUpOldest())
        throw new NodeopsError(
          'no-space',
          `artifacts may take ${this.#settings.limitBytes} bytes, and they are used up`,
          {
            hint: 'raise NODEOPS_ARTIFACTS_SIZE, or capture for a shorter time',
          },
        );
    }
    this.#sinceLook += bytes;
    if (this.#sinceLook >= lookBytes && this.#directory !== undefined) {
      while (isFull(this.#directory)) {
        if (!this.#giveUpOldest())
          throw new NodeopsError('no-space', `the disk under ${this.#directory} is almost full`, {
            hint: 'give the pod an artifact volume (annotation nodeops.dev/artifacts), or capture for a shorter time',
          });
      }
      this.#sinceLook = 0;
    }
    this.#usedBytes += bytes;
  }

  release(artifact: Artifact, bytes: number): void {
    this.#finished.delete(artifact);
    this.#usedBytes -= bytes;
  }

  #giveUpOldest(): boolean {
    const oldest = [...this.#finished].find(({ path }) => path !== null);
    oldest?.remove();
    return oldest !== undefined;
  }

  #open(): string {
    const directory = openDirectory(this.#settings.directory);
    removeLeftovers(directory);
    if (isFull(directory)) throw new Error('the disk is full');
    this.memoryPerByte = statfsSync(directory).type === tmpfsMagic ? 1 : 0;
    return directory;
  }
}

function isFull(directory: string): boolean {
  const { bavail, blocks, bsize } = statfsSync(directory);
  return bavail * bsize < Math.min(reserveBytes, (blocks * bsize) / 20);
}
