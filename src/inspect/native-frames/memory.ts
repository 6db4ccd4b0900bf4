/** A process's memory. Addresses are plain numbers: user space ends at 2^47 on x64 and at 2^48 on arm64. */
export interface Memory {
  /** The bytes there, or null where they cannot all be read. Never throws. */
  read(address: number, length: number): Buffer | null;
}

/** Addresses below are never mapped; above lies the kernel. */
const lowest = 0x10000;
const highest = 2 ** 48;

export function isAddress(value: number): boolean {
  return value >= lowest && value < highest;
}

/** The 64-bit word at an offset. Words that are no address may lose their low bits: compare them with `isAddress` first. */
export function wordAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

export function readWord(memory: Memory, address: number): number | null {
  const bytes = memory.read(address, 8);
  return bytes && wordAt(bytes, 0);
}
