/** Opens and drops connections to an idle agent on Node 24, a million of them unless told otherwise: memory and open files before and after. */
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { freePort } from '../test/bed/free-port.ts';
import { table } from './measure.ts';
import { nodes, startServer, stopServer } from './server.ts';

const atOnce = 64;

async function look(pid: number): Promise<{ rssMiB: number; files: number }> {
  const [, kib] = /^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))!;
  return { rssMiB: Number(kib) / 1024, files: (await readdir(`/proc/${pid}/fd`)).length };
}

/** In turn: dropped as soon as it stands, dropped after a few bytes of a request, reset. */
function openAndDrop(port: number, which: number): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (which % 3 === 1) socket.write('GET /v1/st');
      if (which % 3 === 2) socket.resetAndDestroy();
      else socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => done());
  });
}

export async function benchConnections(count: number): Promise<string> {
  const rows: string[][] = [];
  for (const { version, binary } of nodes.filter((one) => one.version === '24')) {
    const port = await freePort();
    const server = await startServer(binary, {
      NODE_OPTIONS: `--require=${resolve('dist/agent/preload.cjs')}`,
      NODEOPS_PORT: String(port),
      NODEOPS_CONFIG_DIR: tmpdir(),
    });
    await new Promise((wait) => setTimeout(wait, 2_000));
    const before = await look(server.child.pid!);
    const started = performance.now();
    let next = 0;
    let highest = before.rssMiB;
    const worker = async () => {
      while (next < count) {
        await openAndDrop(port, next++);
        if (next % 10_000 === 0) highest = Math.max(highest, (await look(server.child.pid!)).rssMiB);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const seconds = (performance.now() - started) / 1000;
    await new Promise((wait) => setTimeout(wait, 3_000));
    const after = await look(server.child.pid!);
    rows.push([
      version,
      String(count),
      `${seconds.toFixed(0)} s`,
      `${before.rssMiB.toFixed(0)} MiB`,
      `${highest.toFixed(0)} MiB`,
      `${after.rssMiB.toFixed(0)} MiB`,
      `${before.files}, ${after.files}`,
    ]);
    await stopServer(server);
  }
  return table(['Node', 'connections', 'in', 'RSS before', 'highest', 'after', 'open files before, after'], rows);
}
