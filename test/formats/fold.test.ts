import { expect, it } from 'vitest';
import { appFrames, byPackage } from '../../src/formats/fold.ts';
import { emptyStack, Profile } from '../../src/formats/model.ts';
import { flame } from '../../src/formats/summary/flame.ts';
import { top } from '../../src/formats/summary/top.ts';
import { traceTop } from '../../src/formats/summary/trace-top.ts';
import { traces } from '../../src/formats/summary/traces.ts';

/** A handler of the app in Node's timers, which calls a package that calls Node; and time of nobody's. */
function sample(): Profile {
  const profile = new Profile([{ type: 'wall', unit: 'nanoseconds' }]);
  const frame = (name: string, file: string, line: number) =>
    profile.frame(profile.function({ name, systemName: name, file, line }), line);
  const timers = profile.stack(emptyStack, frame('listOnTimeout', 'node:internal/timers', 9));
  const handle = profile.stack(timers, frame('handle', '/app/src/orders.js', 5));
  const render = profile.stack(handle, frame('render', '/app/node_modules/@x/view/index.js', 3));
  const inflate = profile.stack(render, frame('gzip', 'node:zlib', 7));
  const labels = (thread: string) =>
    profile.labels([
      { key: 'pod', text: 'api-0' },
      { key: 'thread', text: thread },
    ]);
  profile.add(handle, labels('main'), [10e6]);
  profile.add(render, labels('main'), [30e6]);
  profile.add(inflate, labels('worker 1'), [50e6]);
  profile.add(profile.stack(emptyStack, frame('(program)', '', 0)), labels('main'), [10e6]);
  return profile;
}
const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => /^ +[\d.]+m?s|^ +0 /.test(line))
    .map((line) => line.trim().split(/ +/))
    .map(([flat, , , cum, , ...name]) => `${flat} ${cum} ${name.join(' ')}`);

it('the app by itself: what others did counts for whom of it called them', () => {
  expect(rows(top(appFrames(sample())))).toEqual([
    '90ms 90ms handle /app/src/orders.js:5',
    '10ms 10ms (outside the app)',
  ]);
});

it('package by package', () => {
  expect(rows(top(byPackage(sample()), { sort: 'cum' }))).toEqual([
    '10ms 90ms (app)',
    '0 90ms node:timers',
    '30ms 80ms @x/view',
    '50ms 50ms node:zlib',
    '10ms 10ms (program)',
  ]);
});

it('a flame graph: every path below its caller, as wide as its share', () => {
  expect(flame(sample())).toBe(
    [
      '    100ms   100% ████████████████████ all',
      '     90ms 90.00% ██████████████████    listOnTimeout node:internal/timers:9',
      '     90ms 90.00% ██████████████████     handle /app/src/orders.js:5',
      '     80ms 80.00% ████████████████        render /app/node_modules/@x/view/index.js:3',
      '     50ms 50.00% ██████████               gzip node:zlib:7',
      '     10ms 10.00% ██                    (program)',
      '',
    ].join('\n'),
  );
});

it('stacks say labels once that all of them have', () => {
  const text = traces(sample());
  expect(text.match(/pod: {2}api-0/g)).toHaveLength(1);
  expect(text.match(/thread: {2}main/g)).toHaveLength(3);
});

it('a trace by the names of its events, nested ones by their begin and end', () => {
  const event = (name: string, ph: string, ts: number, dur?: number) => ({ name, ph, ts, dur, pid: 1, tid: 1 });
  const events = [
    event('outer', 'B', 0),
    event('gc', 'X', 1_000, 2_000),
    event('outer', 'E', 8_000),
    null,
    event('m', 'M', 0),
  ];
  const text = traceTop(Buffer.from(JSON.stringify(events)));
  expect(text).toContain('Duration: 8ms, 5 events of 2 names');
  expect(text).toMatch(/8ms {3}100% {8}8ms {9}1 {2}outer\n +2ms 25\.00% +2ms +1 {2}gc/);
});
