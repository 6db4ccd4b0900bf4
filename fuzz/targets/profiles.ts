import { gzipSync } from 'node:zlib';
import { Profile as Pprof, StringTable } from 'pprof-format';
import { readProfile } from '../../src/formats/read.ts';
import { traceTop } from '../../src/formats/summary/trace-top.ts';
import { Queries } from '../../src/plugin/commands/view/queries.ts';
import { NodeopsError } from '../../src/protocol/errors.ts';
import type { Target } from '../fuzz.ts';

const isRefusal = (error: unknown) => error instanceof NodeopsError && !/\n/.test(error.message);
/** Read as `view` does, and asked what a prompt is asked. */
function view(input: Uint8Array): void {
  const queries = new Queries(readProfile(input), () => undefined);
  queries.head();
  for (const query of ['top', 'lines', 'packages', 'tree', 'traces', 'tags', 'flame', 'list .'])
    queries.answer(query, 80);
}

const frame = (functionName: string, url: string, lineNumber: number) => ({
  functionName,
  scriptId: '1',
  url,
  lineNumber,
  columnNumber: 4,
});
const cpu = {
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1), hitCount: 0, children: [2, 4] },
    { id: 2, callFrame: frame('handle', 'file:///app/a.js', 3), hitCount: 1, children: [3] },
    { id: 3, callFrame: frame('', 'node:fs', 9), hitCount: 2, positionTicks: [{ line: 11, ticks: 2 }] },
    { id: 4, callFrame: frame('(garbage collector)', '', -1), hitCount: 1 },
  ],
  startTime: 1000,
  endTime: 1100,
  samples: [2, 3, 4, 3],
  timeDeltas: [10, 20, 30, 5],
  nodeops: {
    pausedMicros: 5,
    clock: {
      micros: [1000, 1050, 1100],
      cpuMicros: [0, 40, 80],
      queuedMicros: [0, 1, 2],
      doing: [0, 0, 1],
      names: ['running', 'futex'],
    },
  },
};
const old = {
  head: {
    functionName: '(root)',
    url: '',
    lineNumber: 0,
    id: 1,
    hitCount: 0,
    children: [{ functionName: 'f', url: '/a.js', lineNumber: 2, id: 2, hitCount: 3, children: [] }],
  },
  startTime: 1,
  endTime: 2,
  samples: [2, 2],
  timestamps: [10, 20],
};
const heap = {
  head: {
    id: 1,
    callFrame: frame('(root)', '', -1),
    selfSize: 0,
    children: [{ id: 2, callFrame: frame('keep', '/a.js', 1), selfSize: 64, children: [] }],
  },
  samples: [{ size: 64, nodeId: 2, ordinal: 1 }],
};
const trace = [
  { name: 'a', ph: 'B', ts: 1, pid: 1, tid: 1 },
  { name: 'b', ph: 'X', ts: 2, dur: 3, pid: 1, tid: 1 },
  { name: 'a', ph: 'E', ts: 9, pid: 1, tid: 1 },
];

function pprof(): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  return new Pprof({
    sampleType: [{ type: text('cpu'), unit: text('nanoseconds') }],
    sample: [{ locationId: [1, 2], value: [10], label: [{ key: text('pod'), str: text('api-0') }] }],
    location: [1, 2].map((id) => ({ id, line: [{ functionId: id, line: 3 }] })),
    function: [1, 2].map((id) => ({
      id,
      name: text(`f${id}`),
      systemName: text(`f${id} 3:9`),
      filename: text('/a.js'),
      startLine: 3,
    })),
    stringTable: strings,
  }).encode();
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const zipped = (seed: Uint8Array) => gzipSync(seed);
const seedsOf = (...seeds: Uint8Array[]) => [...seeds, ...seeds.map(zipped)];

export const pprofTarget: Target = { seeds: seedsOf(pprof()), run: view, isRefusal };
export const cpuprofile: Target = { seeds: seedsOf(json(cpu), json(old)), run: view, isRefusal };
export const heapprofile: Target = { seeds: seedsOf(json(heap)), run: view, isRefusal };
export const traceTarget: Target = {
  seeds: seedsOf(json(trace), json({ traceEvents: trace })),
  run: (input) => traceTop(input, 80),
  isRefusal,
};
