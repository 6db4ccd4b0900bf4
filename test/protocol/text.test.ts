import { describe, expect, it } from 'vitest';
import { line } from '../../src/protocol/text/lines.ts';
import { bytesShort, bytesWithExact, duration, elapsed } from '../../src/protocol/text/quantities.ts';

it('a line stays one line, whatever a process is called', () => {
  expect(line('cmd+args', 'node a\nlocal/remote: x\u001b[2J')).toBe('cmd+args: node a local/remote: x [2J');
  expect(line('threads', null)).toBe('threads: unknown');
});

describe('quantities in words', () => {
  it('prints bytes as gops does', () => {
    expect(bytesWithExact(140088)).toBe('136.80KB (140088 bytes)');
    expect(bytesWithExact(1023)).toBe('1023 bytes');
    expect(bytesWithExact(1024)).toBe('1.00KB (1024 bytes)');
    expect(bytesWithExact(3 * 1024 ** 3)).toBe('3.00GB (3221225472 bytes)');
    expect(bytesShort(0)).toBe('0B');
    expect(bytesShort(1536)).toBe('1.5KB');
  });

  it('prints durations by their size', () => {
    expect([0.05, 12.34, 250, 4200, 200_000, 7_500_000, 273_600_000].map(duration)).toEqual([
      '50µs',
      '12.3ms',
      '250ms',
      '4.20s',
      '3m20s',
      '2h05m',
      '3d04h',
    ]);
  });

  it('prints elapsed time as [[DD-]hh:]mm:ss', () => {
    expect([5, 65, 3_605, 90_061].map(elapsed)).toEqual(['00:05', '01:05', '01:00:05', '01-01:01:01']);
  });
});
