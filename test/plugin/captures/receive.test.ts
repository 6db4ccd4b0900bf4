/** What a hostile agent sends as an artifact: more than it told, without end, or zeros packed small. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createZstdCompress } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { receive } from '../../../src/plugin/captures/receive.ts';
import { MemorySink } from '../../../src/plugin/captures/sink.ts';
import { fetchKept } from '../../../src/plugin/commands/postmortem/kept.ts';
import { addressTarget } from '../../../src/plugin/targets/address.ts';
import { testIo } from './io.ts';

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: (response: ServerResponse) => void): Promise<number> {
  const server = http.createServer((_, response) => {
    response.setHeader('x-nodeops-protocol', '1');
    answer(response);
  });
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
}

const get = (port: number) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    http.get({ host: '127.0.0.1', port }, resolve).on('error', reject);
  });

/** Zeros until whoever reads goes away. */
function zeros(to: NodeJS.WritableStream): void {
  const block = Buffer.alloc(1024 * 1024);
  const more = () => {
    while (to.write(block));
  };
  to.on('drain', more);
  more();
}

const options = { name: 'pod/x', maxBytes: 8 * 1024 ** 2, stallMs: 20_000, onBytes: () => {} };

describe('an artifact', () => {
  it('ends at the size that was told', async () => {
    const port = await serve((response) => zeros(response));
    const sink = new MemorySink(1024 ** 3);
    const taken = receive(await get(port), sink, { ...options, totalBytes: () => 10 });
    await expect(taken).rejects.toMatchObject({ code: 'failed', message: expect.stringContaining('more than the 10') });
    expect(sink.bytes).toBe(0);
  });

  it('that is still being made ends at --max-size', async () => {
    const port = await serve((response) => zeros(response));
    const sink = new MemorySink(1024 ** 3);
    const taken = receive(await get(port), sink, { ...options, totalBytes: () => undefined });
    await expect(taken).rejects.toMatchObject({ code: 'too-large', hint: expect.stringContaining('--max-size') });
    expect(sink.bytes).toBeLessThanOrEqual(options.maxBytes);
  });

  it('that unpacks without measure is no artifact', async () => {
    const port = await serve((response) => {
      response.setHeader('content-encoding', 'zstd');
      const packer = createZstdCompress();
      packer.pipe(response);
      zeros(packer);
    });
    const sink = {
      bytes: 0,
      async write(chunk: Uint8Array) {
        this.bytes += chunk.length;
      },
      sha256: () => '',
    };
    const taken = receive(await get(port), sink, {
      ...options,
      maxBytes: Number.MAX_SAFE_INTEGER,
      totalBytes: () => undefined,
    });
    await expect(taken).rejects.toMatchObject({ message: expect.stringContaining('unpacks to more than 1000 times') });
  });

  it('that was kept ends at the size it was listed with', async () => {
    const port = await serve((response) => zeros(response));
    const { io } = testIo();
    const target = { ...addressTarget('127.0.0.1', port), process: undefined };
    const file = { name: 'crash/x.json', bytes: 10, at: '2026-01-01T00:00:00Z' };
    const sink = new MemorySink(1024 ** 3);
    const fetched = fetchKept({ target } as never, file, sink, io);
    await expect(fetched).rejects.toMatchObject({ message: expect.stringContaining('more than the 10 bytes') });
    expect(sink.bytes).toBe(0);
  });
});
