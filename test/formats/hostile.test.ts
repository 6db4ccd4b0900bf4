import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readProfile } from '../../src/formats/read.ts';
import { sniff } from '../../src/formats/sniff.ts';

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
const field = (id: number, content: Iterable<number>) => {
  const bytes = [...content];
  return [id * 8 + 2, ...varint(bytes.length), ...bytes];
};
const head = [...field(1, [8, 1, 16, 2]), ...['', 'samples', 'count'].flatMap((text) => field(6, Buffer.from(text)))];
const times = (count: number, bytes: readonly number[]) => Buffer.concat(new Array(count).fill(Buffer.from(bytes)));

describe('a profile written to do harm is refused before it takes memory', () => {
  // a location of 20,000 lines, 20,000 times in one stack: 208 bytes when gzipped
  const location = [...field(4, [8, 1, ...times(20_000, field(4, [8, 1]))])];
  const deep = [
    ...head,
    ...field(5, [8, 1, 16, 1, 24, 1, 32, 1]),
    ...location,
    ...field(2, [...field(1, times(20_000, [1])), ...field(2, [1])]),
  ];
  it.each([
    ['stacks without end', gzipSync(Buffer.from(deep)), /a stack of more than 20000 frames/],
    ['strings without end', Buffer.concat([Buffer.from(head), times(2_100_000, [50, 0])]), /more than 2000000 strings/],
    ['samples without end', Buffer.concat([Buffer.from(head), times(2_100_000, [18, 3, 18, 1, 1])]), /2000000 samples/],
    ['a gzip bomb', gzipSync(Buffer.alloc(80 * 1024 * 1024)), /is larger than 67108864 bytes/],
  ])('%s', (_, bytes, message) => {
    expect(() => readProfile(bytes)).toThrow(message);
  });
});

const nest = (depth: number, inner: (child: string) => string) => {
  let text = inner('');
  for (let i = 1; i < depth; i++) text = inner(text);
  return text;
};

it('a heap profile of any depth is read, or refused by it', () => {
  const node = (child: string) =>
    `{"callFrame":{"functionName":"f","scriptId":"1","url":"","lineNumber":1,"columnNumber":1},"selfSize":8,"children":[${child}]}`;
  expect(readProfile(Buffer.from(`{"head":${nest(4_000, node)},"samples":[]}`)).total(1)).toBe(32_000);
  expect(() => readProfile(Buffer.from(`{"head":${nest(6_000, node)},"samples":[]}`))).toThrow(/deeper than 4096/);
});

describe('a file is known by its content', () => {
  const cpu = '{"nodes":[],"startTime":0,"endTime":1,"samples":[],"timeDeltas":[]}';
  it.each([
    ['a CPU profile', cpu, 'cpuprofile'],
    ['one behind a byte order mark', `\ufeff${cpu}`, 'cpuprofile'],
    ['one behind blank lines', `\r\n\n\t ${cpu}`, 'cpuprofile'],
    ['one that begins with other fields', '{"title":"a\\"{[","endTime":2,"nodes":[]}', 'cpuprofile'],
    ['one of the old form', '{"typeId":"CPU","uid":"1","head":{"functionName":"(root)","hitCount":0}}', 'cpuprofile'],
    ['a heap profile', '{"head":{"callFrame":{"functionName":"(root)"},"selfSize":0}}', 'heapprofile'],
    ['one with its samples first', '{"samples":[{"size":1,"nodeId":1}],"head":{}}', 'heapprofile'],
    ['a snapshot', '{"snapshot":{"meta":{}}}', 'heapsnapshot'],
    ['a trace', '{"traceEvents":[]}', 'trace'],
    ['a trace as a list', '\n[\n {"ph":"X"}]', 'trace'],
    ['a report', '{"header":{"reportVersion":3}}', 'report'],
    ['other JSON', '{"hello":1}', 'json'],
    ['text', 'hello\n', 'text'],
  ])('%s', (_, text, kind) => {
    expect(sniff(Buffer.from(text))).toBe(kind);
    expect(sniff(gzipSync(Buffer.from(text)))).toBe(kind);
  });

  it('pprof, gzipped or not', () => {
    expect(sniff(Buffer.from(head))).toBe('pprof');
    expect(sniff(gzipSync(Buffer.from(head)))).toBe('pprof');
  });
});

it('a CPU profile of before 2017 is read: samples by their timestamps, else by hits', () => {
  const leaf = (id: number, functionName: string, hitCount: number) =>
    `{"functionName":"${functionName}","url":"/a.js","lineNumber":5,"columnNumber":3,"id":${id},"scriptId":7,"hitCount":${hitCount},"children":[],"lineTicks":[{"line":6,"hitCount":${hitCount}}]}`;
  const tree = `"head":{"functionName":"(root)","url":"","lineNumber":-1,"id":1,"scriptId":0,"hitCount":0,"children":[${leaf(2, 'f', 3)},${leaf(3, 'g', 1)}]}`;
  const sampled = `{${tree},"startTime":163140,"endTime":163140,"samples":[2,2,2,3],"timestamps":[10,20,30,40,55]}`;
  const profile = readProfile(Buffer.from(sampled));
  expect(profile.values).toEqual([
    [3, 1],
    [30_000, 15_000],
  ]);
  expect(profile.functions.map(({ name, line }) => `${name}:${line}`)).toEqual(['f:5', 'g:5']);
  expect(profile.frameLine).toContain(6);
  const hits = readProfile(Buffer.from(`{${tree},"startTime":1,"endTime":5}`));
  expect(hits.values[1]).toEqual([3e9, 1e9]);
});
