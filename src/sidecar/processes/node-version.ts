/** Which Node a process runs, read from its executable: neither is run or asked. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

export interface Runtime {
  /** such as `v24.21.0` */
  readonly node: string;
  readonly v8: string;
}

const unknown: Runtime = { node: 'unknown', v8: 'unknown' };
const chunkBytes = 1024 * 1024;
/** Longest text that is looked for; a chunk begins that much before the last one's end. */
const overlapBytes = 128;
/** An executable is looked through up to here. */
const limitBytes = 256 * 1024 * 1024;
/** Executables remembered. */
const remembered = 64;

const known = new Map<string, Runtime>();

/** Of `/proc/PID/exe`; `unknown` where it may not be read. Takes a tenth of a second once for each executable that is not ours. */
export function runtimeOf(executable: string): Runtime {
  try {
    const file = statSync(executable);
    const own = statSync('/proc/self/exe');
    if (file.dev === own.dev && file.ino === own.ino) return { node: process.version, v8: process.versions.v8 };
    const key = `${file.dev}:${file.ino}:${file.mtimeMs}`;
    const found = known.get(key) ?? search(executable);
    if (known.size < remembered) known.set(key, found);
    return found;
  } catch {
    return unknown;
  }
}

/** Towards DevTools every Node names itself `node.js/v…`; V8's version carries Node's own suffix. */
function search(executable: string): Runtime {
  const descriptor = openSync(executable, 'r');
  try {
    const end = Math.min(fstatSync(descriptor).size, limitBytes);
    const bytes = Buffer.alloc(chunkBytes);
    let { node, v8 } = unknown;
    for (let at = 0; at < end && (node === unknown.node || v8 === unknown.v8); at += chunkBytes - overlapBytes) {
      const chunk = bytes.subarray(0, readSync(descriptor, bytes, 0, chunkBytes, at));
      if (node === unknown.node) node = text(chunk, 'node.js/', /^node\.js\/(v\d+\.\d+\.\d+(?:-[\w.]+)?)\0/) ?? node;
      if (v8 === unknown.v8) v8 = text(chunk, '-node.', /(?:^|\0)(\d+\.\d+\.\d+\.\d+-node\.\d+)\0/) ?? v8;
    }
    return { node, v8 };
  } finally {
    closeSync(descriptor);
  }
}

function text(chunk: Buffer, marker: string, pattern: RegExp): string | undefined {
  for (let at = chunk.indexOf(marker); at >= 0; at = chunk.indexOf(marker, at + 1)) {
    const from = marker.startsWith('-') ? Math.max(0, at - 24) : at;
    const [, found] = pattern.exec(chunk.toString('latin1', from, at + overlapBytes / 2)) ?? [];
    if (found !== undefined) return found;
  }
  return undefined;
}
