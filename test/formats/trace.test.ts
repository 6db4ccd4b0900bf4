import { describe, expect, it } from 'vitest';
import { traceTop } from '../../src/formats/summary/trace-top.ts';
import { type TraceEvent, TraceWriter } from '../../src/formats/trace.ts';
import { nodes, record } from './record.ts';

/** What chrome://tracing and Perfetto need of a trace; returns what is wrong with it. */
function problems(text: string): string[] {
  const trace = JSON.parse(text) as { traceEvents: TraceEvent[]; metadata: unknown };
  if (!Array.isArray(trace.traceEvents)) return ['traceEvents is not a list'];
  const open = new Map<string, string[]>();
  return trace.traceEvents.flatMap((event, i) => {
    const wrong: string[] = [];
    if (!/^[BEXiIbneNODMPCSTFstfRcv]$/.test(event.ph)) wrong.push(`event ${i} has the phase ${event.ph}`);
    if (!Number.isInteger(event.pid) || !Number.isInteger(event.tid)) wrong.push(`event ${i} is of no thread`);
    if (event.ph !== 'M' && !Number.isFinite(event.ts)) wrong.push(`event ${i} has no time`);
    if (event.ph === 'X' && !Number.isFinite(event.dur)) wrong.push(`event ${i} has no duration`);
    const thread = `${event.pid}/${event.tid}`;
    if (event.ph === 'B') open.set(thread, [...(open.get(thread) ?? []), String(event.name)]);
    if (event.ph === 'E' && open.get(thread)?.pop() === undefined) wrong.push(`event ${i} ends what did not begin`);
    return wrong;
  });
}

const script = `
async function main() {
  const chunks = [];
  session.on('NodeTracing.dataCollected', ({ params }) => chunks.push(params.value));
  const ended = new Promise((done) => session.once('NodeTracing.tracingComplete', done));
  await session.post('NodeTracing.start', { traceConfig: { includedCategories: ['v8', 'node', 'node.async_hooks'] } });
  let kept = [];
  for (let round = 0; round < 5_000; round++) {
    kept.push(Buffer.alloc(100).toString('hex'));
    if (kept.length > 1e4) kept = [];
    await new Promise(setImmediate);
  }
  await session.post('NodeTracing.stop');
  await ended;
  result(chunks);
}
// NodeTracing is of the main thread's own session only
main();
`;

describe.each(nodes)('a trace of $name', ({ path }) => {
  it('is valid at every point at which it may be stopped', async () => {
    const chunks = JSON.parse(await record(path, script)) as TraceEvent[][];
    expect(chunks.flat().length).toBeGreaterThan(10);
    const writer = new TraceWriter();
    let text = '';
    for (const [i, events] of chunks.entries()) {
      text += writer.write(events);
      const stopped = text + `\n],"metadata":{}}`;
      expect(problems(stopped)).toEqual([]);
      expect(JSON.parse(stopped).traceEvents).toEqual(chunks.slice(0, i + 1).flat());
    }
    text += writer.end({ 'command-line': 'node app.js' });
    expect(problems(text)).toEqual([]);
    expect(JSON.parse(text)).toEqual({ traceEvents: chunks.flat(), metadata: { 'command-line': 'node app.js' } });
    expect(writer.events).toBe(chunks.flat().length);
  });
});

describe('a trace', () => {
  const event = (name: string): TraceEvent => ({ pid: 1, tid: 1, ph: 'i', ts: 5, name });

  it('of nothing is valid', () => {
    expect(JSON.parse(new TraceWriter().end())).toEqual({ traceEvents: [], metadata: {} });
    const writer = new TraceWriter();
    expect(JSON.parse(writer.write([]) + writer.write([]) + writer.end())).toEqual({ traceEvents: [], metadata: {} });
  });

  it('stops growing at its limit and says how much is missing', () => {
    const writer = new TraceWriter({ limitBytes: 500 });
    let text = '';
    for (let i = 0; i < 50; i++) text += writer.write([event(`e${i}`), event('ä')]);
    text += writer.end();
    expect(Buffer.byteLength(text)).toBeLessThan(600);
    const { traceEvents, metadata } = JSON.parse(text);
    expect(traceEvents.length).toBe(writer.events);
    expect(metadata).toEqual({ 'events-dropped': 100 - traceEvents.length });
    expect(writer.dropped).toBe(100 - writer.events);
  });

  it('the checker of this test finds what is wrong', () => {
    const text = (events: object[]) => JSON.stringify({ traceEvents: events });
    expect(problems(text([event('a'), { ...event('b'), ph: 'X' }, { ...event('c'), ts: undefined }]))).toEqual([
      'event 1 has no duration',
      'event 2 has no time',
    ]);
    expect(
      problems(
        text([
          { ...event('a'), ph: 'E' },
          { ...event('a'), tid: 'x' },
        ]),
      ),
    ).toHaveLength(2);
  });
});

it.each([
  ['a comma', '\n\n[\n{"pid":0,"tid":0,"ph":"X","name":"gamma","ts":2,"dur":5},\n\n'],
  ['an event', ' [{"pid":0,"tid":0,"ph":"X","name":"gamma","ts":2,"dur":5}\n'],
])('a list of events that ends with %s is read to its end', (_, json) => {
  expect(traceTop(Buffer.from(json))).toContain('gamma');
});
