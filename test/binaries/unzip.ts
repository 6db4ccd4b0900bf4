/** Takes one file out of a zip archive: central directory, then stored or deflated data. */
import { open } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
/** The end record is at most this far from the end: its own size and a comment. */
const endSearchBytes = 22 + 0xffff;

export async function readZipEntry(archive: string, name: string): Promise<Buffer> {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const read = async (position: number, length: number) => {
      const buffer = Buffer.alloc(length);
      await file.read(buffer, 0, length, position);
      return buffer;
    };
    const tail = await read(Math.max(0, size - endSearchBytes), Math.min(size, endSearchBytes));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--;
    if (end < 0) throw new Error(`${archive} is not a zip archive`);
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entrySignature; ) {
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) =>
        directory.readUInt16LE(at + offset),
      ) as [number, number, number];
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) === name) {
        const method = directory.readUInt16LE(at + 10);
        const packed = directory.readUInt32LE(at + 20);
        const local = directory.readUInt32LE(at + 42);
        const head = await read(local, 30);
        const data = await read(local + 30 + head.readUInt16LE(26) + head.readUInt16LE(28), packed);
        return method === 0 ? data : inflateRawSync(data);
      }
      at += 46 + nameLength + extraLength + commentLength;
    }
    throw new Error(`${archive} has no ${name}`);
  } finally {
    await file.close();
  }
}
