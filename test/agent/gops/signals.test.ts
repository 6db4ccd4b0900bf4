import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromPprof } from '../../../src/formats/from-pprof.ts';
import { encodeVarint, gopsSignals } from '../../../src/protocol/gops.ts';
import { bed, eventually, fresh, nodeOf, program, raw, server, start, useBed } from '../bed.ts';

useBed();
beforeEach(fresh);

async function app(env: Record<string, string> = {}) {
  const running = start(program('app.cjs', server), { env });
  await running.says('up');
  await eventually(async () => {
    if ((await raw(Uint8Array.of(gopsSignals.version))) === '' && env.NODEOPS_TOKEN === undefined)
      throw new Error('not up');
  });
  return running;
}
/** What gops writes: the signal, then what PutVarint left of ten zero bytes. */
const setgc = (percent: number) => {
  const bytes = new Uint8Array(11);
  bytes[0] = gopsSignals.setgc;
  bytes.set(encodeVarint(percent), 1);
  return bytes;
};

describe('gops bytes', () => {
  it.each([
    ['0x1 stack', 0x1, /^thread main \[idle, waiting in the event loop\]:\n.*waiting for:\n.*\n$/s],
    ['0x3 memstats', 0x3, /^rss: [\d.]+MB \(\d+ bytes\)\n.*\nheap-used: [\d.]+MB \(\d+ bytes\)\n/s],
    ['0x4 version', 0x4, /^v24\.\d+\.\d+\n$/s],
    ['0x7 stats', 0x7, /^uptime: .*\nOS threads: \d+\n/],
  ])('%s is answered as text, and the connection ended', async (_, signal, expected) => {
    await app();
    expect(await raw(Uint8Array.of(signal))).toMatch(expected);
  });

  it('0x9 sends the executable whole', async () => {
    await app();
    const { size } = statSync(nodeOf(24));
    const received = await new Promise<{ bytes: number; head: string }>((resolve, reject) => {
      let bytes = 0;
      let head = '';
      const socket = connect(bed.port, '127.0.0.1', () => socket.write(Uint8Array.of(gopsSignals.binary)));
      socket.on('data', (chunk) => {
        if (bytes === 0) head = chunk.toString('latin1', 0, 4);
        bytes += chunk.length;
      });
      socket.on('end', () => resolve({ bytes, head })).on('error', reject);
    });
    expect(received).toEqual({ bytes: size, head: '\u007fELF' });
  });

  it('answers while the loop is blocked', async () => {
    start(program('blocked.cjs', 'function spin() { while (true) {} }\nspin();'));
    await eventually(async () => expect(await raw(Uint8Array.of(gopsSignals.stack))).toMatch(/^ {4}at spin \(/m));
  });

  it('is answered nothing where a token is asked for', async () => {
    await app({ NODEOPS_TOKEN: 'secret' });
    expect(await raw(Uint8Array.of(gopsSignals.version))).toBe('');
  });

  it('a byte that is no signal is taken for HTTP, and refused as such', async () => {
    await app();
    expect(await raw(Uint8Array.of(0x11, 0x0a, 0x0a))).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('0x10 says what is missing when no percentage follows', async () => {
    await app();
    expect(await raw(Uint8Array.of(gopsSignals.setgc), bed.port, true)).toBe(
      'nodeops: setgc takes a percentage after its signal\n',
    );
    expect(await raw(Uint8Array.of(gopsSignals.setgc, ...new Array(11).fill(0xff)))).toBe(
      'nodeops: a number takes 10 bytes at most\n',
    );
  });

  it('0x10 with its number in pieces, as gops writes it, is answered', async () => {
    await app();
    const bytes = setgc(300);
    const got = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(bed.port, '127.0.0.1', async () => {
        for (const byte of bytes.subarray(0, 3)) {
          socket.write(Uint8Array.of(byte));
          await new Promise((done) => setTimeout(done, 20));
        }
      });
      socket.on('data', (chunk) => (text += chunk)).on('close', () => resolve(text));
    });
    expect(got).toBe('New GC percent set to 300. Previous value was off.\n');
  });

  it('0x2 collects garbage and says ok', async () => {
    await app();
    expect(await raw(Uint8Array.of(gopsSignals.gc))).toBe('ok');
  });
});

// gops' own durations: half a minute for a CPU profile
describe('gops bytes for what takes time', { timeout: 150_000 }, () => {
  const capturing = async (signal: number): Promise<Buffer> => {
    await app();
    return Buffer.from(await raw(Uint8Array.of(signal)), 'latin1');
  };

  it.each([
    ['0x5 pprof-heap', gopsSignals['pprof-heap'], 'inuse_space'],
    ['0x6 pprof-cpu', gopsSignals['pprof-cpu'], 'wall'],
  ] as const)('%s is a pprof file, as go tool pprof takes it', async (_, signal, type) => {
    const bytes = await capturing(signal);
    expect(fromPprof(bytes).sampleTypes.map((one) => one.type)).toContain(type);
  });

  it('0x8 trace is a Chrome trace', async () => {
    const bytes = await capturing(gopsSignals.trace);
    expect(JSON.parse(bytes.toString()).traceEvents.length).toBeGreaterThan(10);
  });
});
