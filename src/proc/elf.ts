/** The parts of an executable file as Linux loads them. 64 bits, little-endian: what Node and Go programs are on x64 and arm64. */
import type { FileHandle } from 'node:fs/promises';

export interface Segment {
  readonly offset: number;
  readonly address: number;
  /** In the file. */
  readonly size: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

const headerBytes = 64;
const entryBytes = 56;
const loaded = 1;

/** Bytes of a file; fewer where it ends. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

/** The segments that are loaded; empty for anything but a 64-bit little-endian ELF file. */
export async function readSegments(file: FileHandle): Promise<Segment[]> {
  const header = await readAt(file, 0, headerBytes);
  // \x7fELF, then class 2 (64 bits) and data 1 (little-endian)
  if (header.length < headerBytes || header.readUInt32BE(0) !== 0x7f454c46 || header.readUInt16BE(4) !== 0x0201)
    return [];
  const count = header.readUInt16LE(56);
  if (header.readUInt16LE(54) !== entryBytes || count > 1024) return [];
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), count * entryBytes);
  const segments: Segment[] = [];
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    if (table.readUInt32LE(at) !== loaded) continue;
    const flags = table.readUInt32LE(at + 4);
    segments.push({
      offset: Number(table.readBigUInt64LE(at + 8)),
      address: Number(table.readBigUInt64LE(at + 16)),
      size: Number(table.readBigUInt64LE(at + 32)),
      writable: (flags & 2) !== 0,
      executable: (flags & 1) !== 0,
    });
  }
  return segments;
}
