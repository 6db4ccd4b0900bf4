import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  guardText,
  printable,
  printableReply,
  printableText,
  unguarded,
} from '../../../src/plugin/render/printable.ts';

describe('text of pods', () => {
  it.each([
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\nb\tc', 'a\\nb\\tc'],
    ['\u009b2J \u202eabc\u2066', '\\u009b2J \\u202eabc\\u2066'],
    ['tag \u{e0041}', 'tag \\udb40\\udc41'],
    ['größe 名前 😀', 'größe 名前 😀'],
  ])('%j is named %j', (text, shown) => expect(printable(text)).toBe(shown));

  it('is made printable in replies, names of members too', () => {
    expect(printableReply({ 'a\u0007': ['\u001b', 1, null, { deep: 'x\ny' }] })).toEqual({
      'a\\u0007': ['\\u001b', 1, null, { deep: 'x\\ny' }],
    });
  });

  it.each([
    ['one\n  ::error file=x::y', 'one\n  \\u003a:error file=x::y'],
    ['\u2000::error::x\n\u3000::stop-commands::y', '\u2000\\u003a:error::x\n\u3000\\u003a:stop-commands::y'],
    ['see ##[error]x and ##vso[task]', 'see \\u0023#[error]x and \\u0023#vso[task]'],
    ['::1:8848 and a::b', '::1:8848 and a::b'],
    ['# heading\n## second', '# heading\n## second'],
  ])('%j gives a runner no command', (text, shown) => expect(printableText(text, false)).toBe(shown));

  it('keeps our own colours on a terminal alone', () => {
    const text = '\u001b[31m9!\u001b[39m \u001b]0;title\u0007 \u001b[2J \u001b[8mhidden';
    expect(printableText(text, true)).toBe('\u001b[31m9!\u001b[39m \\u001b]0;title\\u0007 \\u001b[2J \\u001b[8mhidden');
    expect(printableText(text, false)).not.toContain('\u001b');
  });
});

describe('a guarded stream', () => {
  it('makes text printable and leaves bytes alone', () => {
    const stream = new PassThrough();
    const guarded = guardText(stream);
    guarded.write('a\u001b');
    guarded.write(Buffer.from('b\u001b'));
    expect(stream.read().toString()).toBe('a\\u001bb\u001b');
    expect(unguarded(guarded)).toBe(stream);
    expect(guarded).toBeInstanceOf(PassThrough);
  });
});
