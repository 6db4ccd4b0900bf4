import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { containerEnds } from '../../../../src/plugin/commands/postmortem/pod.ts';
import { containerLines } from '../../../../src/plugin/commands/postmortem/text.ts';
import { bed, eventually, fresh, program, start, useBed } from '../../../agent/bed.ts';
import recordings from '../../../fixtures/kubernetes/rest.json' with { type: 'json' };
import { invoke } from '../../invoke.ts';
import { podObject, startServer } from '../../transport/kube/server.ts';

useBed();
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-postmortem-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(fresh);

function recordedPod(name: string) {
  const { body } = recordings.find((recording) => recording.name === name)!.response as { body: unknown };
  return typeof body === 'string' ? JSON.parse(body) : body;
}

describe('the verdict on a recorded pod', () => {
  it('names the memory limit of one that was killed for it', () => {
    const [end] = containerEnds(recordedPod('pod-oomkilled'));
    expect(end).toMatchObject({
      container: 'app',
      restarts: 3,
      now: 'CrashLoopBackOff',
      outOfMemory: true,
      memoryLimit: '96Mi',
    });
    expect(containerLines(end!)).toEqual([
      'container app: CrashLoopBackOff, restarted 3 times',
      '  last end: OOMKilled, exit code 137, at 2026-11-22T21:49:48Z, after 0µs',
      '  verdict: the kernel killed it for memory: the container had used up its limit of 96Mi',
    ]);
  });

  it('tells an exception from a kill', () => {
    const [end] = containerEnds(recordedPod('pod-crashloop'));
    expect(end).toMatchObject({ outOfMemory: false, last: { reason: 'Error', exitCode: 1 } });
    expect(end!.verdict).toMatch(/exited with code 1, as Node does after an exception/);
    const ended = (exitCode: number) =>
      containerEnds({ status: { containerStatuses: [{ name: 'app', state: { terminated: { exitCode } } }] } })[0]!
        .verdict;
    expect(ended(134)).toMatch(/V8 heap is full/);
    expect(ended(137)).toMatch(/SIGKILL.*not for its memory limit/);
    expect(ended(143)).toMatch(/SIGTERM/);
    expect(ended(0)).toMatch(/exit code 0/);
  });
});

/** As the kubelet does. */
function forward(socket: WebSocket, port: number): void {
  const inside = connect(port, '127.0.0.1');
  inside.on('error', () => {});
  inside.on('data', (data) => socket.send(Buffer.concat([Buffer.of(0), data])));
  inside.on('close', () => socket.close(1000));
  socket.on('message', (data: Buffer) => inside.write(data.subarray(1)));
  socket.on('close', () => inside.destroy());
}

describe('what a crashed process left', () => {
  const crash = `setTimeout(function settleInvoice() { throw new RangeError('total is negative', { cause: new TypeError('no price') }); }, 1300)`;
  const idle = `setInterval(() => {}, 1000); console.log('up');`;

  async function crashed(): Promise<string> {
    const env = { NODEOPS_ARTIFACTS_DIR: join(bed.configDir, 'volume') };
    await start(program('crash.cjs', crash), { env }).ended;
    await start(program('idle.cjs', idle), { env }).says('up');
    const target = `127.0.0.1:${bed.port}`;
    await eventually(async () => {
      if ((await invoke(['artifacts', 'list', target])).code !== 0) throw new Error('no agent yet');
    });
    return target;
  }

  it('is told, saved, listed, fetched and removed through the agent of the next', async () => {
    const target = await crashed();
    const output = join(directory, 'saved');
    const told = await invoke(['postmortem', target, '--output', output]);
    expect({ code: told.code, stderr: told.stderr }).toEqual({ code: 0, stderr: '' });
    expect(told.stdout).toContain('an exception was not caught: RangeError: total is negative');
    expect(told.stdout).toMatch(/^ {4}at Timeout\.settleInvoice/m);
    expect(told.stdout).toMatch(/^ {2}caused by TypeError: no price\n {4}at Timeout\.settleInvoice/m);
    expect(told.stdout).toMatch(/^ {2}saved: .*saved\/crash-.*-uncaught-exception-\d+\.json$/m);
    const [file] = await readdir(output);
    expect(JSON.parse(await readFile(join(output, file!), 'utf8'))).toMatchObject({ schema: 'nodeops/crash/v1' });

    const list = JSON.parse((await invoke(['artifacts', 'list', target, '-o', 'json'])).stdout);
    expect(list.items).toHaveLength(1);
    const { name, bytes } = list.items[0];
    const got = await invoke(['artifacts', 'get', target, name, '--output', directory, '-o', 'name']);
    expect(got.code).toBe(0);
    expect((await stat(got.stdout.trim())).size).toBe(bytes);
    expect((await invoke(['artifacts', 'get', target, 'crash/other.json'])).stderr).toContain('no kept artifact');
    expect((await invoke(['artifacts', 'rm', target])).stderr).toContain('--all');
    expect((await invoke(['artifacts', 'rm', target, '--all'])).stdout).toContain(`removed ${name}`);
    expect((await invoke(['artifacts', 'list', target])).stdout).toBe('nothing is kept\n');
    const after = await invoke(['postmortem', target, '-o', 'json']);
    expect(JSON.parse(after.stdout)).toMatchObject({ operation: 'postmortem', records: [] });
  });

  it('is waited for where a container is in CrashLoopBackOff, and told by the cluster where it is not', async () => {
    await crashed();
    let running = false;
    const server = await startServer({
      rest: ({ url }) => {
        if (url.includes('/events')) return { status: 200, body: { items: [] } };
        const state = running ? { running: {} } : { waiting: { reason: 'CrashLoopBackOff' } };
        const containerStatuses = [{ name: 'app', restartCount: 2, state }];
        return { status: 200, body: podObject({ phase: 'Running', containerStatuses }) };
      },
      socket: (socket) => {
        for (const frame of [Buffer.of(0, 0x90, 0x22), Buffer.of(1, 0x90, 0x22)]) socket.send(frame);
        if (running) return forward(socket, bed.port);
        socket.send('\x01dial tcp 127.0.0.1:8848: connect: connection refused', { binary: true });
        socket.close(1000);
      },
    });
    const asksAgain = (before = server.seen.length) =>
      eventually(() => expect(server.seen.length).toBeGreaterThan(before + 8));
    try {
      const env = { KUBECONFIG: '/nonexistent/kubeconfig' };
      const args = ['postmortem', 'pod/api-0', '--server', server.url, '--output', join(directory, 'waited')];
      const asked = await invoke(args, { env });
      expect(asked.stdout).toContain('whether it left crash records is not known');
      const waiting = invoke([...args, '--wait'], { env });
      await asksAgain();
      running = true;
      const told = await waiting;
      expect(told.stdout).toContain('an exception was not caught: RangeError: total is negative');
      expect(told.stderr).toMatch(/^waiting for a container to be restarted/);
      running = false;
      const stop = new AbortController();
      const stopped = invoke([...args, '--wait'], { env, signal: stop.signal });
      await asksAgain();
      stop.abort();
      expect((await stopped).stdout).toContain('whether it left crash records is not known');
    } finally {
      await server.close();
    }
  });

  it('is nothing where no directory outlives the container, and that is said', async () => {
    await start(program('idle.cjs', idle)).says('up');
    const result = await eventually(async () => {
      const told = await invoke(['postmortem', `127.0.0.1:${bed.port}`]);
      if (told.code !== 0) throw new Error(told.stderr);
      return told;
    });
    expect(result.stdout).toContain('no crash record was found');
    expect(result.stderr).toContain('NODEOPS_ARTIFACTS_DIR');
  });
});
