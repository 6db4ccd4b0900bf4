import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryArtifact } from '../../../src/agent/captures/memory-artifact.ts';

const collect = async (parts: AsyncIterable<Buffer>): Promise<string> => {
  let text = '';
  for await (const part of parts) text += part.toString();
  return text;
};
const noise = (bytes: number): string => {
  let text = '';
  while (text.length < bytes) text += createHash('sha256').update(String(text.length)).digest('base64');
  return text.slice(0, bytes);
};

describe('an artifact in memory', () => {
  it('can be read again from anywhere while it fits the window', async () => {
    const artifact = new MemoryArtifact({ windowBytes: 1000 });
    await artifact.write('hello ');
    await artifact.write('world');
    expect(artifact.finish()).toBe(createHash('sha256').update('hello world').digest('hex'));
    expect(await collect(artifact.read(0))).toBe('hello world');
    expect(await collect(artifact.read(3, 8))).toBe('lo wo');
    expect(artifact.resumable).toBe(true);
  });

  it('makes the capture wait for whoever fetches, and gives up what was fetched', async () => {
    const artifact = new MemoryArtifact({ windowBytes: 3 * 1024 * 1024 });
    const text = noise(10 * 1024 * 1024);
    let written = false;
    const writing = artifact.write(text).then(() => {
      written = true;
      return artifact.finish();
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBe(false);
    expect(artifact.bytes).toBeLessThanOrEqual(3 * 1024 * 1024);
    expect(await collect(artifact.read(0))).toBe(text);
    expect(await writing).toBe(createHash('sha256').update(text).digest('hex'));
    expect(artifact.resumable).toBe(false);
    await expect(collect(artifact.read(0))).rejects.toMatchObject({ code: 'refused' });
    expect(await collect(artifact.read(9 * 1024 * 1024))).toBe(text.slice(9 * 1024 * 1024));
  });

  it('compresses what cannot wait, within a bound', async () => {
    const artifact = new MemoryArtifact({ windowBytes: 2 * 1024 * 1024, packedBytes: 4 * 1024 * 1024 });
    const line = `${'a line that compresses well '.repeat(4000)}\n`;
    for (let i = 0; i < 200; i++) artifact.writeSync(line);
    artifact.finish();
    expect(await collect(artifact.read(0))).toBe(line.repeat(200));
    const full = new MemoryArtifact({ windowBytes: 2 * 1024 * 1024, packedBytes: 4 * 1024 * 1024 });
    const hard = noise(1024 * 1024);
    expect(() => {
      for (let i = 0; i < 20; i++) full.writeSync(hard);
    }).toThrow(expect.objectContaining({ code: 'no-space', hint: expect.stringContaining('artifact volume') }));
  });

  it('gives up when nobody fetches, and when it is removed', async () => {
    const alone = new MemoryArtifact({ windowBytes: 10, waitMs: 50 });
    await alone.write('0123456789');
    await expect(alone.write('more')).rejects.toMatchObject({ code: 'timeout' });
    const removed = new MemoryArtifact({ windowBytes: 10 });
    await removed.write('0123456789');
    const writing = removed.write('more');
    removed.remove();
    await expect(writing).rejects.toThrow('removed');
  });
});
