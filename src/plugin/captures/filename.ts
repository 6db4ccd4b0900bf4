/** Names of artifacts: who, when, what, in characters that every file system and shell takes. */
import type { TargetName } from '../render/target-name.ts';

/** Characters of one part of a name: with all of them it stays below the 255 bytes that file systems take. */
const limitPart = 100;

/** A part of a file name. Names come from agents and clusters, so nothing that means something in a path or a terminal is left. */
export function safePart(text: string): string {
  const safe = text
    .slice(0, 1024)
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .slice(0, limitPart);
  return safe.replace(/^[.-]+/, '').replace(/[.-]+$/, '') || 'unnamed';
}

/** `20261122T231500Z` */
export function stamp(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
}

/** `POD.CONTAINER.PID.20261122T231500Z`, without what is unknown; a local process is `node.PID.…`. */
export function artifactStem({ pod, container, pid, address }: TargetName, at: Date): string {
  const place = pod ?? (address === null || address.startsWith('process ') ? 'node' : address);
  const parts = [place, container, pid === null ? null : String(pid)].filter((part) => part !== null);
  return [...parts.map(safePart), stamp(at)].join('.');
}
