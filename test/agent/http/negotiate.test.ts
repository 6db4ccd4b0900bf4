import { describe, expect, it } from 'vitest';
import { chooseEncoding, parseRange } from '../../../src/agent/http/negotiate.ts';

describe('the encoding', () => {
  it.each([
    ['zstd, gzip', true, 'zstd'],
    ['zstd, gzip', false, 'gzip'],
    ['gzip;q=0.5', true, 'gzip'],
    ['zstd;q=0, gzip;q=0', true, 'identity'],
    ['*', true, 'zstd'],
    ['br', true, 'identity'],
    [undefined, true, 'identity'],
  ] as const)('for %j (zstd here: %s) is %s', (header, zstd, expected) =>
    expect(chooseEncoding(header, zstd)).toBe(expected),
  );
});

describe('a range', () => {
  it('is absent, open or closed', () => {
    expect(parseRange(undefined)).toBeUndefined();
    expect(parseRange('bytes=10-')).toEqual({ from: 10, to: undefined });
    expect(parseRange('bytes=10-19')).toEqual({ from: 10, to: 20 });
  });
  it.each(['bytes=-5', 'bytes=1-2,4-5', 'bytes=5-4', 'lines=1-', 'bytes=x-'])('%s is refused', (header) =>
    expect(() => parseRange(header)).toThrow(/bytes=N-/),
  );
});
