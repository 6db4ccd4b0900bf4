import { describe, expect, it } from 'vitest';
import { checkCpuProfile, parseCpuProfile } from '../../src/formats/cpuprofile.ts';
import { fromCpuProfile, fromHeapProfile } from '../../src/formats/from-v8.ts';
import { byFunction, graphOf } from '../../src/formats/graph.ts';
import { estimateCount, guessInterval } from '../../src/formats/heap-count.ts';
import { parseHeapProfile } from '../../src/formats/heapprofile.ts';
import { textLabels } from '../../src/formats/model.ts';
import { profileHead } from '../../src/formats/summary/report.ts';
import { cpuScript, heapScript, hottest, nodes, record } from './record.ts';

describe.each(nodes)('profiles of $name', ({ path }) => {
  it('put the function that burns CPU on top, at its lines, with recursion counted once', async () => {
    const source = parseCpuProfile(await record(path, cpuScript));
    const profile = fromCpuProfile(source, { labels: textLabels({ pod: 'api-0', container: undefined }) });
    expect(profile.sampleTypes.map(({ type }) => type)).toEqual(['samples', 'wall']);
    expect(hottest(profile, 1)).toBe('burn');
    const burn = graphOf(profile, 1, byFunction(profile)).nodes.find(({ name }) => name.startsWith('burn '))!;
    expect(burn.cum).toBeLessThanOrEqual(profile.total(1));
    expect(burn.flat).toBeLessThanOrEqual(burn.cum);
    expect(burn.flat).toBeGreaterThan(100e6);
    const lines = profile.frameFunction.flatMap((id, frame) =>
      profile.functions[id]!.name === 'burn' ? [profile.frameLine[frame]!] : [],
    );
    expect(Math.min(...lines)).toBe(1);
    expect(Math.max(...lines)).toBeGreaterThan(1);
    expect(Math.max(...lines)).toBeLessThanOrEqual(3);
    expect(profile.labelSets[profile.sampleLabels[0]!]).toEqual([{ key: 'pod', text: 'api-0' }]);
    expect(profile.facts.period).toBeGreaterThan(0);
  });

  it('account for every microsecond from the first sample on, idle time apart', async () => {
    const source = parseCpuProfile(await record(path, cpuScript));
    const idleId = source.nodes.find((node) => node.callFrame.functionName === '(idle)')!.id;
    let at = 0;
    const taken = source.samples.map((id, i) => {
      at += source.timeDeltas[i]!;
      return { id, at };
    });
    // V8 delivers some late
    taken.sort((a, b) => a.at - b.at);
    const duration = source.endTime - source.startTime;
    const idleMicros = taken.reduce(
      (sum, one, i) => (one.id === idleId ? sum + (taken[i + 1]?.at ?? duration) - one.at : sum),
      0,
    );
    const profile = fromCpuProfile(source);
    const whole = (duration - taken[0]!.at) * 1000;
    expect(profile.total(1)).toBe(whole - idleMicros * 1000);
    expect(profile.total(0)).toBe(source.samples.filter((id) => id !== idleId).length);
    expect(profile.facts.durationNanos).toBe(whole);
    expect(profileHead(profile)).toMatch(/Duration: [\d.]+m?s, Total samples = [\d.]+m?s \(\d+\.\d\d%\)/);
    expect(profile.functions.map(({ name }) => name)).not.toContain('(idle)');
  });

  it('name the function that allocates, with bytes as V8 counts them and about as many objects', async () => {
    const source = parseHeapProfile(await record(path, heapScript()));
    const profile = fromHeapProfile(source, { samplingIntervalBytes: 1024 });
    expect(profile.sampleTypes.map(({ type }) => type)).toEqual(['inuse_objects', 'inuse_space']);
    const graph = graphOf(profile, 0, byFunction(profile));
    const kept = graph.nodes.find(({ name }) => name.startsWith('keepObjects '))!;
    expect(kept.cum).toBeGreaterThan(10_000);
    expect(kept.cum).toBeLessThan(40_000);
    let bytes = 0;
    const add = (node: typeof source.head) => {
      bytes += node.selfSize;
      node.children.forEach(add);
    };
    add(source.head);
    expect(profile.total(1)).toBe(bytes);
    expect(fromHeapProfile(source).facts.period).toBe(1024);
  });

  it('tell allocations apart from what is alive when taken so', async () => {
    const flags = '{ includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }';
    const all = fromHeapProfile(parseHeapProfile(await record(path, heapScript(flags))), { values: 'alloc' });
    const alive = fromHeapProfile(parseHeapProfile(await record(path, heapScript())));
    expect(all.sampleTypes.map(({ type }) => type)).toEqual(['alloc_objects', 'alloc_space']);
    const dropped = (profile: typeof all) =>
      graphOf(profile, 1, byFunction(profile)).nodes.find(({ name }) => name.startsWith('dropObjects '))?.cum ?? 0;
    expect(dropped(all)).toBeGreaterThan(300_000);
    expect(dropped(alive)).toBeLessThan(dropped(all) / 5);
  });
});

const frame = (functionName: string, lineNumber = 0) => ({
  functionName,
  scriptId: '1',
  url: functionName.startsWith('(') ? '' : '/app/a.js',
  lineNumber,
  columnNumber: 4,
});
const small = {
  nodes: [
    { id: 1, callFrame: frame('(root)', -1), hitCount: 0, children: [2, 4, 5] },
    { id: 2, callFrame: frame('outer'), hitCount: 1, children: [3] },
    {
      id: 3,
      callFrame: frame('', 9),
      hitCount: 2,
      positionTicks: [
        { line: 11, ticks: 2 },
        { line: 12, ticks: 1 },
        { line: 11, ticks: 1 },
      ],
    },
    { id: 4, callFrame: frame('(garbage collector)', -1), hitCount: 1 },
    { id: 5, callFrame: frame('(idle)', -1), hitCount: 1 },
  ],
  startTime: 1000,
  endTime: 1100,
  samples: [2, 3, 4, 3, 5],
  timeDeltas: [10, 20, 30, 5, 15],
};

describe('a CPU profile worked out by hand', () => {
  const stacks = (source: unknown) => {
    const profile = fromCpuProfile(checkCpuProfile(source));
    return Object.fromEntries(
      profile.sampleStack.map((stack, i) => [
        profile
          .framesOf(stack)
          .map((frame) => `${profile.functions[profile.frameFunction[frame]!]!.name}@${profile.frameLine[frame]}`)
          .join('<'),
        profile.values.map((column) => column[i]),
      ]),
    );
  };
  const expected = {
    'outer@1': [1, 20_000],
    // 30 + 15 us over lines 11 (3 ticks of 4) and 12
    '(anonymous a.js:10:5)@11<outer@1': [2, 33_750],
    '(anonymous a.js:10:5)@12<outer@1': [0, 11_250],
    '(garbage collector)@0<(anonymous a.js:10:5)@10<outer@1': [1, 5_000],
  };

  it('gives each sample the time until the next, lines by ticks, garbage collection to whom it interrupted', () => {
    expect(stacks(small)).toEqual(expected);
  });

  it('puts samples in order that V8 delivered out of order', () => {
    const shuffled = { ...small, samples: [2, 4, 3, 3, 5], timeDeltas: [10, 50, -30, 35, 15] };
    expect(stacks(shuffled)).toEqual(expected);
  });

  it('shares the duration by hits where there are no samples', () => {
    const profile = fromCpuProfile(checkCpuProfile({ ...small, samples: undefined, timeDeltas: undefined }));
    expect(profile.total(0)).toBe(4);
    expect(profile.total(1)).toBe(80_000);
  });
});

describe('damaged V8 profiles are refused with the place of the damage', () => {
  const text = JSON.stringify(small);
  it.each([
    ['cut off', text.slice(0, -20), /CPU profile is cut off after \d+ bytes/],
    ['empty', '', /CPU profile is empty/],
    ['not JSON', 'hello', /not valid JSON/],
    ['a list', '[]', /the document is not an object/],
    ['a missing child', text.replace('[2,4,5]', '[2,4,6]'), /node 1 has child 6/],
    ['a cycle', text.replace('"children":[3]', '"children":[1]'), /node 1 is reached twice/],
    ['a stray node', text.replace('[2,4,5]', '[2,4]'), /1 nodes hang on nothing/],
    ['two equal ids', text.replace('"id":5', '"id":4'), /same id/],
    ['an unknown sample', text.replace('[2,3,4,3,5]', '[2,3,4,3,9]'), /samples\[4\] names node 9/],
    ['missing times', text.replace('[10,20,30,5,15]', '[10,20]'), /5 samples but 2 times/],
    ['time as text', text.replace('[10,', '["10",'), /timeDeltas\[0\] is not a number/],
    ['an end before its start', text.replace('"endTime":1100', '"endTime":1'), /ends before it starts/],
    ['a heap profile', '{"head":{}}', /has a tree instead of nodes/],
  ])('%s', (_, input, message) => {
    expect(() => parseCpuProfile(input)).toThrow(message);
  });

  it('heap profiles too', () => {
    const head = { id: 1, callFrame: frame('(root)', -1), selfSize: 0, children: [] };
    const parse = (value: unknown) => () => parseHeapProfile(JSON.stringify(value));
    expect(parse({ head, samples: [] })).not.toThrow();
    expect(parse({ head, samples: [{ size: -1, nodeId: 1, ordinal: 1 }] })).toThrow(/samples\[0\].size is negative/);
    expect(parse({ head: { ...head, selfSize: -1 } })).toThrow(/head.selfSize is negative/);
    expect(parse({ head: { ...head, children: [head] } })).toThrow(/two nodes have the id 1/);
    expect(parse({ nodes: [] })).toThrow(/it is a CPU profile/);
  });

  it('bytes of the root itself are not lost', () => {
    const head = { id: 1, callFrame: frame('(root)', -1), selfSize: 5, children: [] };
    const profile = fromHeapProfile(parseHeapProfile(JSON.stringify({ head, samples: [] })));
    expect(profile.total(1)).toBe(5);
    expect(profile.framesOf(profile.sampleStack[0]!)).toHaveLength(1);
  });

  it('limits hold', () => {
    expect(() => parseCpuProfile(text, { limitBytes: 100 })).toThrow(/at most 100 are read/);
    expect(() => parseCpuProfile(text, { limitNodes: 3 })).toThrow(/has 5 nodes; at most 3/);
    expect(() => parseCpuProfile(text, { limitSamples: 4 })).toThrow(/has 5 samples; at most 4/);
  });
});

it('object counts follow from V8’s sampling law', () => {
  const interval = 8192;
  const standsFor = (size: number) => Math.floor(1 / (1 - Math.exp(-size / interval)) + 0.5);
  for (let size = 24; size <= 128; size += 8) {
    const found = estimateCount(size * standsFor(size), interval);
    expect(found).toBeGreaterThanOrEqual(standsFor(size) / 3);
    expect(found).toBeLessThanOrEqual(standsFor(size) * 3);
  }
  for (const size of [2048, 8192, 40_000])
    expect(estimateCount(size * standsFor(size), interval)).toBe(standsFor(size));
  expect(estimateCount(1_000_000, interval)).toBe(1);
  expect(guessInterval([8216, 8200, 50_000])).toBe(8192);
  expect(guessInterval([])).toBe(0);
});
