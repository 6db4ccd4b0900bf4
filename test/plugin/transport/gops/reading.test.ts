import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentClient } from '../../../../src/plugin/client/client.ts';
import { goOf } from '../../../../src/plugin/client/gops-answers.ts';
import { addressTarget } from '../../../../src/plugin/targets/address.ts';
import { gopsText } from '../../../../src/plugin/transport/gops/ask.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { type GopsCommand, gopsSignals } from '../../../../src/protocol/gops.ts';
import { invoke } from '../../invoke.ts';
import { GoAgent, profiles, said } from './go-agent.ts';

let agent: GoAgent;
beforeEach(async () => {
  agent = await new GoAgent().listen();
});
afterEach(() => agent.close());
const never = () => AbortSignal.timeout(30_000);

describe('a Go process by its address', () => {
  it.each(['stack', 'memstats', 'version', 'stats'] as const)('%s prints what gops prints', async (name) => {
    expect(await invoke([name, agent.address])).toEqual({ code: 0, stdout: said[name], stderr: '' });
  });

  it('is asked by one byte, and before that only what a Go agent ignores', async () => {
    await invoke(['stats', agent.address]);
    const firsts = agent.received.map((bytes) => bytes[0]);
    // the G of GET, which is closed unread; the version, which only reads; the question
    expect(firsts).toEqual([0x47, gopsSignals.version, gopsSignals.stats]);
    expect(agent.received.slice(1).map((bytes) => bytes.length)).toEqual([1, 1]);
  });

  it('-o json says that it is Go, and in which version', async () => {
    const { stdout } = await invoke(['stats', agent.address, '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      target: expect.objectContaining({ address: agent.address, pid: null }),
      schema: 'nodeops/v1',
      operation: 'stats',
      at: expect.any(String),
      go: 'go1.26.1',
      text: said.stats.trimEnd(),
      notes: [],
    });
  });

  it('several stand one below the other', async () => {
    const other = await new GoAgent().listen();
    const { address } = other;
    const { stdout } = await invoke(['stats', agent.address, address]);
    other.close();
    expect(stdout).toBe(`==> ${agent.address} go1.26.1 <==\n${said.stats}\n==> ${address} go1.26.1 <==\n${said.stats}`);
  });

  it('what only a Node process has is refused, naming what there is', async () => {
    const { code, stdout, stderr } = await invoke(['list', agent.address]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/gops agent of a Go process \(go1\.26\.1\).*stats, stack, memstats, version, gc, setgc/);
  });
});

it('a Go process by its pid, from gops’ config directory', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'nodeops-gops-'));
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  await writeFile(join(dir, String(child.pid)), String(agent.port));
  const result = await invoke(['stats', String(child.pid)], { env: { GOPS_CONFIG_DIR: dir } });
  child.kill('SIGKILL');
  await rm(dir, { recursive: true });
  expect(result).toEqual({ code: 0, stdout: said.stats, stderr: '' });
});

describe('behind a port-forward', () => {
  it('is recognised though the refusal of HTTP comes as an error of the way', async () => {
    const { endpoint } = addressTarget('127.0.0.1', agent.port);
    const forwarded = {
      ...endpoint,
      async connect(signal: AbortSignal) {
        const socket = await endpoint.connect(signal);
        // the embedder's words around the kernel's, as containerd passes them on
        const text = `error forwarding port ${agent.port}: read tcp4 127.0.0.1:41000->127.0.0.1:6060: read: connection reset by peer`;
        socket.on('error', () => {});
        const stream = Duplex.from({ readable: socket, writable: socket });
        socket.prependListener('error', () =>
          stream.destroy(
            new NodeopsError('unreachable', 'cannot be reached: connection reset by peer', { detail: { text } }),
          ),
        );
        return stream;
      },
    };
    const error = await new AgentClient(forwarded).ask('stats').catch((thrown: unknown) => thrown);
    expect(goOf(error)).toBe('go1.26.1');
  });
});

describe('the bytes of every signal', () => {
  const wire: Record<GopsCommand, [number[], string]> = {
    stack: [[0x1], said.stack],
    gc: [[0x2], 'ok'],
    memstats: [[0x3], said.memstats],
    version: [[0x4], said.version],
    'pprof-heap': [[0x5], profiles.heap.toString()],
    'pprof-cpu': [[0x6], profiles.cpu.toString()],
    stats: [[0x7], said.stats],
    trace: [[0x8], profiles.trace.toString()],
    binary: [[0x9], ''],
    setgc: [[0x10, 0xac, 0x02], 'New GC percent set to 150. Previous value was 100.\n'],
  };
  it.each(Object.entries(wire) as [GopsCommand, [number[], string]][])('%s', async (command, [bytes, answer]) => {
    const { endpoint } = addressTarget('127.0.0.1', agent.port);
    const text = await gopsText(endpoint, command === 'setgc' ? { command, percent: 150 } : { command }, never());
    expect([...agent.received[0]!]).toEqual(bytes);
    if (command === 'binary') expect(text).toMatch(/^\u007fELF/);
    else expect(text).toBe(answer);
  });

  it('setgc off is -1', async () => {
    const { endpoint } = addressTarget('127.0.0.1', agent.port);
    await gopsText(endpoint, { command: 'setgc', percent: -1 }, never());
    expect([...agent.received[0]!]).toEqual([0x10, 0x01]);
  });
});
