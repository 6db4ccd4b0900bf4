import { PassThrough } from 'node:stream';
import { captureLimits } from '../../../src/plugin/captures/limits.ts';
import type { Io } from '../../../src/plugin/io.ts';

/** Waits short enough for tests; the mechanism is the same. */
export const quickLimits = {
  ...captureLimits,
  reconnectMs: 20_000,
  refusedMs: 20_000,
  firstPauseMs: 20,
  longestPauseMs: 100,
  stallMs: 1_500,
  abandonMs: 1_000,
};

export interface TestIo {
  readonly io: Io;
  readonly interrupt: AbortController;
  readonly abandon: AbortController;
  readonly stdin: PassThrough;
  stdout(): string;
  stdoutBytes(): Buffer;
  stderr(): string;
}

/** Io whose streams are kept; nothing is a terminal. */
export function testIo(): TestIo {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  stdout.on('data', (chunk) => out.push(chunk));
  stderr.on('data', (chunk) => err.push(chunk));
  const interrupt = new AbortController();
  const abandon = new AbortController();
  return {
    io: {
      stdin,
      stdout,
      stderr,
      env: {},
      program: 'nodeops',
      executable: process.execPath,
      signal: interrupt.signal,
      abandon: abandon.signal,
      now: () => new Date('2026-11-22T23:15:00.000Z'),
    },
    interrupt,
    abandon,
    stdin,
    stdout: () => Buffer.concat(out).toString(),
    stdoutBytes: () => Buffer.concat(out),
    stderr: () => Buffer.concat(err).toString(),
  };
}
