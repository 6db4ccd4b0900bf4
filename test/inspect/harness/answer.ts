// The worker thread of an app under test: answers readings over loopback as the agent does, without the agent.
import { writeSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { threadId } from 'node:worker_threads';
import { openLocal } from '../../../src/inspect/local.ts';
import { readings } from '../../../src/inspect/readings/readings.ts';
import type { ReadingName } from '../../../src/inspect/subject.ts';

/** What no reading does: leaves the main thread paused while its thread ends. */
async function pauseAndDie(socket: Socket): Promise<void> {
  const inspector = openLocal();
  const paused = new Promise((resolve) => inspector.on('Debugger.paused', resolve));
  await inspector.post('Debugger.enable');
  await inspector.post('Debugger.pause');
  await paused;
  socket.end('{}', () => process.exit());
}

const lastKnown = new Map<string, unknown>();

const server = createServer((socket) => {
  socket.once('data', async (data) => {
    const { name, parameters } = JSON.parse(String(data)) as { name: ReadingName | 'pause and die'; parameters: never };
    if (name === 'pause and die') return pauseAndDie(socket);
    let inspector: ReturnType<typeof openLocal> | undefined;
    const startedAt = performance.now();
    try {
      const reading = await readings[name](
        {
          pid: process.pid,
          procDir: '/proc/self',
          inspector: async () => (inspector ??= openLocal()),
          lastKnown,
          ownThreadId: threadId,
          ownPorts: [(server.address() as AddressInfo).port],
        },
        parameters,
      );
      socket.end(JSON.stringify({ ...reading, tookMs: performance.now() - startedAt }));
    } catch (error) {
      socket.end(JSON.stringify({ error: String((error as Error).stack) }));
    } finally {
      await inspector?.close();
    }
  });
  socket.on('error', () => {});
}).listen(0, '127.0.0.1', function (this: { address(): unknown }) {
  writeSync(3, `${(this.address() as { port: number }).port}\n`);
});
