/** Which Go an executable was built with: the block that Go's linker leaves in it, as `go version FILE` reads it. */
import type { FileHandle } from 'node:fs/promises';
import { readAt, readSegments, type Segment } from './elf.ts';

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
/** The block stands at the start of the data. */
const searchedBytes = 1024 * 1024;
const headerBytes = 32;
const versionBytes = 256;

/** Such as `go1.26.1`, or undefined when it is no Go program or the block was taken out. */
export async function goVersionOf(file: FileHandle): Promise<string | undefined> {
  const segments = await readSegments(file);
  for (const segment of segments.filter(({ writable }) => writable)) {
    const data = await readAt(file, segment.offset, Math.min(segment.size, searchedBytes));
    const at = data.indexOf(magic);
    if (at < 0) continue;
    const block = await readAt(file, segment.offset + at, headerBytes + versionBytes);
    const version = (block[15] ?? 0) & 2 ? inline(block) : await pointed(file, segments, block);
    return version && /^(?:go|devel)[\w.+: -]*$/.test(version) ? version : undefined;
  }
  return undefined;
}

/** Since Go 1.18: a length, then the text. */
function inline(block: Buffer): string | undefined {
  const length = block[headerBytes] ?? 0;
  return length < 0x80 ? block.toString('latin1', headerBytes + 1, headerBytes + 1 + length) : undefined;
}

/** Before: the address of a string's header, which is an address and a length. */
async function pointed(file: FileHandle, segments: readonly Segment[], block: Buffer): Promise<string | undefined> {
  const pointerBytes = block[14];
  if (pointerBytes !== 8 || block[15] !== 0) return undefined;
  const header = await atAddress(file, segments, Number(block.readBigUInt64LE(16)), 16);
  if (!header || header.length < 16) return undefined;
  const length = Number(header.readBigUInt64LE(8));
  if (length > versionBytes) return undefined;
  return (await atAddress(file, segments, Number(header.readBigUInt64LE(0)), length))?.toString('latin1');
}

async function atAddress(
  file: FileHandle,
  segments: readonly Segment[],
  address: number,
  length: number,
): Promise<Buffer | undefined> {
  const segment = segments.find((one) => address >= one.address && address + length <= one.address + one.size);
  return segment && readAt(file, segment.offset + address - segment.address, length);
}
