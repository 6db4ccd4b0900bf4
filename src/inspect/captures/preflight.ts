import { readMemoryCgroup } from '../../proc/cgroup.ts';
import { readKernel } from '../../proc/files.ts';
import type { MemstatsReply } from '../../protocol/replies.ts';
import type { Subject } from '../subject.ts';
import type { HeapFigures } from './probes.ts';
import type { References } from './references.ts';

/**
 * What V8 needs for a snapshot follows the number of objects, which it does not tell before it takes one: it is inferred
 * from the bytes in use, on the side of too many. Measured on Node 20.20, 22.23, 24.21 and 26.10 (x64, two busy cores) with heaps of
 * 45 to 120 MB made of one shape each: bytes in small-object spaces per object, and growth of RSS per object.
 *
 *   parsed JSON 37 B, 270–330 B · {a, b: {}} 49 B, 820–910 B · closures 49 B, 900–960 B · {x: 1.5} 25 B, 800–870 B
 *   Map of small objects 30 B, 1,380–1,860 B · empty arrays 33 B, 1,410–1,500 B · strings of 1 KB 290 B, 260–350 B
 *
 * Bytes in large-object spaces are strings and numbers, which cost nothing (118 MiB of them: 6 MiB), or arrays and tables: V8 keeps a name for each
 * index and key, once for all arrays, which took 1,200 B each, and 60 B for each reference.
 */
const bytesPerObject = 30;
interface Bare {
  readonly bytes: number;
  readonly objects: number;
  /** That look like references, in all of its memory; and how many more the agent's thread makes it. */
  readonly words: number;
  readonly agentWords: number;
}

/**
 * What every process has before it does anything, by major: bytes in small-object spaces and objects, counted in snapshots of 20.20, 22.23, 24.21 and
 * 26.10. These are code and maps, twice as large as what apps make; a snapshot of them took 32, 41, 56 and 55 MB.
 */
const bare: Readonly<Record<20 | 22 | 24 | 26, Bare>> = {
  20: { bytes: 2_500_000, objects: 41_000, words: 200_000, agentWords: 410_000 },
  22: { bytes: 3_400_000, objects: 54_000, words: 225_000, agentWords: 510_000 },
  24: { bytes: 3_800_000, objects: 59_000, words: 235_000, agentWords: 520_000 },
  26: { bytes: 4_000_000, objects: 61_000, words: 260_000, agentWords: 425_000 },
};
const bareOf = (nodeMajor: number): Bare => bare[nodeMajor < 22 ? 20 : nodeMajor < 24 ? 22 : nodeMajor < 26 ? 24 : 26];
const memoryPerObjectBytes = 1_100;
const memoryPerReferenceBytes = 120;
const memoryPerNameBytes = 1_800;
/** Of the words of small objects so many are references at least. */
const referencesInSmall = 0.45;
/** Large-object bytes that are not worth a look: every process has some 0.3 MB, with the agent's text 1 MB. */
const fewLargeBytes = { alone: 600_000, inside: 1_400_000 };
/** Artifact per object: 70 to 100 B measured. */
const writtenPerObjectBytes = 100;
/** Standstill per object, in microseconds: 3.7–9.8, 2.5–5.6 and 1.5–4.1 measured. */
const pauseMicros = (nodeMajor: number): number => (nodeMajor < 22 ? 10 : nodeMajor < 24 ? 6 : 4);

export interface SnapshotEstimate {
  /** All of these are upper estimates. */
  readonly objects: number;
  readonly memoryBytes: number;
  readonly artifactBytes: number;
  readonly pauseMs: number;
}

/** Whether `estimateSnapshot` is better with a count of references. */
export function needsReferences({ largeBytes }: HeapFigures, inside: boolean): boolean {
  return largeBytes > (inside ? fewLargeBytes.inside : fewLargeBytes.alone);
}

/**
 * `references`: null where they cannot be counted; then every large object is taken for a table of them. `inside`: whether the agent's thread is
 * part of the process.
 */
export function estimateSnapshot(
  figures: HeapFigures,
  references: References | null,
  inside: boolean,
): SnapshotEstimate {
  const { nodeMajor, smallBytes } = figures;
  const own = bareOf(nodeMajor);
  const objects = own.objects + Math.ceil(Math.max(0, smallBytes - own.bytes) / bytesPerObject);
  return {
    objects,
    memoryBytes: objects * memoryPerObjectBytes + largeMemoryBytes(figures, references, inside),
    artifactBytes: objects * writtenPerObjectBytes,
    pauseMs: Math.ceil((objects * pauseMicros(figures.nodeMajor)) / 1000),
  };
}

function largeMemoryBytes(figures: HeapFigures, references: References | null, inside: boolean): number {
  if (!needsReferences(figures, inside)) return 0;
  const most = figures.largeBytes / 8;
  const own = bareOf(figures.nodeMajor);
  const elsewhere =
    own.words + (inside ? own.agentWords : 0) + (referencesInSmall * Math.max(0, figures.smallBytes - own.bytes)) / 8;
  const inLarge = references ? Math.min(most, Math.max(0, references.words - elsewhere)) : most;
  const names = Math.min(inLarge, references?.largestWords ?? most);
  return Math.ceil(inLarge * memoryPerReferenceBytes + names * memoryPerNameBytes);
}

export interface Room {
  /** The smaller of the two below that is known; null when neither is. */
  readonly freeBytes: number | null;
  readonly cgroup: MemstatsReply['cgroup'];
  /** MemAvailable of the machine. */
  readonly availableBytes: number | null;
}

/** Memory that the process can still get before something is killed. */
export async function readRoom(subject: Subject): Promise<Room> {
  const [cgroup, meminfo] = await Promise.all([readMemoryCgroup(subject.procDir), readKernel('/proc/meminfo')]);
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo ?? '')?.[1];
  const availableBytes = available === undefined ? null : Number(available) * 1024;
  const left = cgroup?.limitBytes == null ? null : Math.max(0, cgroup.limitBytes - cgroup.usedBytes);
  const known = [left, availableBytes].filter((bytes) => bytes !== null);
  return { freeBytes: known.length > 0 ? Math.min(...known) : null, cgroup, availableBytes };
}

/** Why a snapshot had better not be taken, as sentences with the figures; empty when nothing speaks against it. */
export function objections(
  { objects, memoryBytes, artifactBytes, pauseMs }: SnapshotEstimate,
  { freeBytes, cgroup, availableBytes }: Room,
  budgetMs: number | undefined,
  memoryPerByte: number,
): string[] {
  const sentences: string[] = [];
  const needed = memoryBytes + artifactBytes * memoryPerByte;
  if (freeBytes !== null && needed > freeBytes) {
    const where =
      cgroup?.limitBytes != null && freeBytes !== availableBytes
        ? `the memory limit of ${mib(cgroup.limitBytes)} leaves ${mib(freeBytes)}`
        : `the machine has ${mib(freeBytes)} available`;
    sentences.push(`it may need ${mib(needed)} for about ${objects} objects, and ${where}`);
  }
  if (budgetMs !== undefined && pauseMs > budgetMs)
    sentences.push(
      `the process may stand still for ${seconds(pauseMs)}, and its liveness probe allows ${seconds(budgetMs)}`,
    );
  return sentences;
}

export function mib(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
