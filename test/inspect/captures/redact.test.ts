import { describe, expect, it } from 'vitest';
import { openHeap } from '../../../src/formats/heap/heap.ts';
import { bytesSource } from '../../../src/formats/heap/source.ts';
import { SnapshotRedactor } from '../../../src/inspect/captures/redact.ts';
import { nodes, record } from '../../formats/record.ts';

/** Secrets in every place a string can be in. */
const script = `
const part = (name) => name + '-' + 'S3CR' + 'ET' + String(9000 + 1);
class Login { constructor() { this.password = Buffer.from(part('field')).toString('latin1'); } }
globalThis.logins = [new Login()];
globalThis.byToken = { [part('key')]: 1, ['sk_live_' + 'abcdefghijklmnopqrst']: 2 };
globalThis.map = new Map([[part('mapkey'), part('mapvalue')]]);
globalThis.weak = new WeakMap([[Symbol(part('weaksymbol')), part('weakvalue')], [globalThis.logins[0], part('weaktext')]].slice(1));
globalThis.symbol = Symbol(part('symbol'));
globalThis.pattern = new RegExp(part('regexp'));
globalThis.joined = part('a') + 'x'.repeat(30) + part('b');
globalThis.sliced = (part('long') + 'y'.repeat(60)).slice(1);
globalThis.quoted = 'quote " ' + part('quote') + ' \\\\ \\n ü ' + part('after');
globalThis.kept = () => part;
let text = '';
session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => { text += params.chunk; });
session.post('HeapProfiler.takeHeapSnapshot').then(() => result(text));
`;

function redacted(text: string, step: number): string {
  const redactor = new SnapshotRedactor();
  let out = '';
  for (let at = 0; at < text.length; at += step) out += redactor.write(text.slice(at, at + step));
  return out + redactor.end();
}

describe.each(nodes)('a redacted snapshot of $name', ({ path }) => {
  it('has no secret in it, and the heap as it was', async () => {
    const text = JSON.parse(await record(path, script)) as string;
    const masked = redacted(text, 102_400);
    expect(text.includes('S3CRET9001')).toBe(true);
    expect(/.{0,40}S3CRET.{0,40}/.exec(masked)?.[0]).toBeUndefined();
    expect(/.{0,40}sk_live_.{0,40}/.exec(masked)?.[0]).toBeUndefined();
    expect(redacted(text, 40_099) === masked).toBe(true);
    const [before, after] = [JSON.parse(text), JSON.parse(masked)];
    const frame = (all: object) => JSON.stringify({ ...all, strings: [] });
    expect(frame(after) === frame(before)).toBe(true);
    expect(after.strings.length).toBe(before.strings.length);
    const heap = await openHeap(bytesSource(Buffer.from(masked)));
    const login = heap.classes.shares.find(({ name }) => name === 'Login')!;
    expect(heap.path(login.largest)).toBe('global.logins → [0] → Login');
    const field = heap.graph.edges(login.largest).find(({ name }) => name === 'password')!;
    // as long as it was
    expect(heap.graph.name(field.to)).toMatch(/^#[\da-z]+\*+$/);
    expect(heap.graph.name(field.to)).toHaveLength('field-S3CRET9001'.length);
  });
});
