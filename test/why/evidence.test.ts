import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/protocol/replies.ts';
import type { Diagnosis } from '../../src/why/diagnose.ts';
import { rank } from '../../src/why/diagnose.ts';
import { dominantOf } from '../../src/why/evidence/dominant.ts';
import { packageOf, placeIn } from '../../src/why/evidence/frames.ts';
import { classify } from '../../src/why/evidence/kinds.ts';
import { trendOf } from '../../src/why/evidence/trend.ts';
import { finding } from '../../src/why/finding.ts';
import { groupOf } from '../../src/why/group.ts';

const frame = (name: string, file: string, code?: string): Frame => ({
  ...{ function: name, file, line: 1, column: 1 },
  ...(code === undefined ? {} : { code }),
});
const app = frame('handler', '/app/src/a.js');
const found = (id: string, weight: number, place: string | null = null) =>
  finding(id, { weight, place, sentence: id, next: 'stack TARGET', remedy: 'mend it' });

describe('a stack is busy with', () => {
  it.each<[string, Frame[], string, string | null]>([
    ['a regular expression', [frame('RegExp: (a+)+$', ''), app], 'regex', '(a+)+$'],
    [
      'synchronous crypto',
      [frame('run', ''), frame('pbkdf2Sync', 'node:internal/crypto/pbkdf2'), app],
      'crypto',
      'pbkdf2Sync',
    ],
    [
      'compression',
      [frame('writeSync', ''), frame('processChunkSync', 'node:zlib'), frame('zlibBufferSync', 'node:zlib'), app],
      'zlib',
      'zlibBufferSync',
    ],
    [
      'a child',
      [
        frame('spawn', ''),
        frame('spawnSync', 'node:internal/child_process'),
        frame('execSync', 'node:child_process'),
        app,
      ],
      'child',
      'execSync',
    ],
    [
      'files',
      [frame('read', ''), frame('readSync', 'node:fs'), frame('readFileSync', 'node:fs'), app],
      'fs',
      'readFileSync',
    ],
    [
      'console',
      [frame('formatValue', 'node:internal/util/inspect'), frame('log', 'node:internal/console/constructor'), app],
      'log',
      'log',
    ],
    [
      'JSON, by what stands there',
      [frame('handler', '/app/src/a.js', 'return JSON.parse(body);')],
      'json',
      'JSON.parse',
    ],
    [
      'Intl, by what stands there',
      [frame('money', '/app/src/a.js', "return new Intl.NumberFormat('de')")],
      'intl',
      'Intl.NumberFormat',
    ],
    [
      'a constructor of patterns',
      [frame('route', '/app/src/a.js', 'const r = new RegExp(path)')],
      'compile',
      'new RegExp',
    ],
    ['a logger of a package', [frame('asJson', '/app/node_modules/pino/lib/tools.js'), app], 'log', 'pino'],
    ['its own code', [app], 'function', null],
  ])('%s', (_, frames, kind, call) => {
    const { caller, ...classified } = classify(frames);
    expect(classified).toEqual({ kind, call });
    expect(caller?.file).toBe('/app/src/a.js');
  });
});

it.each([
  ['by what stands there', frame('NotFound', '/app/src/b.js', 'class NotFound extends Error {}')],
  ['by what it does', frame('NotFound', '/app/src/b.js', 'Error.captureStackTrace(this)')],
  ['by its name', frame('ParseError', '/app/src/b.js', 'super(message);')],
])('an exception is of who throws it, not of its own constructor: %s', (_, made) => {
  expect(classify([made, app])).toMatchObject({ kind: 'error', caller: app });
});

it('an asynchronous file call is not a synchronous one', () => {
  for (const name of ['readFile', 'write', 'open'])
    expect(classify([frame(name, 'node:fs'), app]).kind).toBe('function');
});

it('packages are named with their scope, of whatever layout', () => {
  expect(packageOf(frame('f', '/app/node_modules/@scope/name/lib/a.js'))).toBe('@scope/name');
  expect(packageOf(frame('f', '/app/node_modules/.pnpm/pg@8.0.0/node_modules/pg/lib/a.js'))).toBe('pg');
  expect(packageOf(app)).toBe(null);
});

it('an anonymous function is named with who calls it', () => {
  expect(placeIn([frame('(anonymous)', '/app/a.js'), frame('map', ''), app])).toBe(
    'an anonymous function (/app/a.js:1) of handler',
  );
});

describe('a trend', () => {
  const points = (values: number[]) => values.map((value, index) => ({ atMs: index * 500, value }));

  it('is not lifted by garbage', () => {
    const saw = Array.from({ length: 60 }, (_, n) => 50 + (n % 5) * 10);
    expect(trendOf(points(saw))?.perSecond).toBeCloseTo(0, 5);
  });
  it('is seen through garbage', () => {
    const saw = Array.from({ length: 60 }, (_, n) => 50 + (n % 5) * 10 + n);
    expect(trendOf(points(saw))).toMatchObject({ steady: 1 });
    expect(trendOf(points(saw))?.perSecond).toBeCloseTo(2, 1);
  });
  it('is nothing of too few points', () => expect(trendOf(points([1, 2, 3]))).toBe(null));
});

it('the innermost function that has most of it is named', () => {
  const [inner, outer, other] = [frame('inner', '/app/a.js'), frame('outer', '/app/a.js'), frame('other', '/app/b.js')];
  const stacks = [
    { weight: 6, frames: [inner, outer] },
    { weight: 3, frames: [outer] },
    { weight: 1, frames: [other] },
  ];
  expect(dominantOf(stacks, 0.6)?.frame).toBe(inner);
  expect(dominantOf(stacks, 0.8)?.frame).toBe(outer);
  expect(dominantOf(stacks, 0.95)).toBe(null);
});

it('a consequence goes below its cause, as a note', () => {
  const ranked = rank([found('requests-stuck', 0.9), found('outbound-stuck', 0.5)]);
  expect(ranked.map(({ id, level }) => [id, level])).toEqual([
    ['outbound-stuck', 'finding'],
    ['requests-stuck', 'note'],
  ]);
});

it('processes with the same answer are one group, whatever their figures', () => {
  const diagnosis = (...findings: Diagnosis['findings']): Diagnosis => ({ findings, passed: [], skipped: [] });
  const groups = groupOf([
    { name: 'a', diagnosis: diagnosis(found('regex', 0.5, 'f (a.js:3)')) },
    { name: 'b', diagnosis: diagnosis() },
    { name: 'c', diagnosis: diagnosis(found('regex', 0.7, 'f (a.js:4)')) },
    { name: 'd', diagnosis: diagnosis({ ...found('node-version', 0.1), level: 'note' }) },
  ]);
  expect(
    groups.map(({ finding: of, members }) => [of?.weight ?? null, members.map(({ name }) => name).join('')]),
  ).toEqual([
    [0.7, 'ac'],
    [null, 'bd'],
  ]);
});
