import { describe, expect, it } from 'vitest';
import { describeError } from '../../../src/agent/crash/record.ts';

describe('what was thrown', () => {
  it.each([
    [null, { name: 'null', message: 'null' }],
    [undefined, { name: 'undefined' }],
    [Symbol('odd'), { name: 'symbol', message: 'Symbol(odd)' }],
    [Object.create(null), { name: 'Object', message: '' }],
    ['x'.repeat(100_000), { name: 'string', message: 'x'.repeat(16 * 1024) }],
  ])('may be anything: case %#', (thrown, described) => {
    expect(describeError(thrown)).toMatchObject({ stack: '', code: null, ...described });
  });

  it('may throw when it is looked at', () => {
    const trap = () => {
      throw new Error('trap');
    };
    const error = new Error('seen');
    for (const key of ['stack', 'cause', 'errors']) Object.defineProperty(error, key, { get: trap });
    expect(describeError(error)).toEqual({ name: 'Error', message: 'seen', stack: '', code: null });
    expect(describeError(new Proxy({}, { get: trap }))).toMatchObject({ name: 'Object', message: '' });
  });

  it('runs no getter and no proxy that came with it, and reads those of its class', () => {
    const ran: string[] = [];
    const error = new Error('own');
    // V8 puts the text together when it is first read, of name and message
    expect(error.stack).toContain('own');
    for (const key of ['name', 'message', 'code', 'cause', 'errors'])
      Object.defineProperty(error, key, { get: () => ran.push(key) });
    describeError(error);
    describeError(new Proxy(new Error('behind'), { get: (_, key) => ran.push(String(key)) }));
    expect(ran).toEqual([]);
    class Issues extends Error {
      override get message(): string {
        return 'two issues';
      }
    }
    expect(describeError(new Issues())).toMatchObject({ name: 'Error', message: 'two issues' });
  });

  it('is told with what it came of, circles and long chains included', () => {
    const inner = new TypeError('inner token=abcdefghijkl');
    const outer = new Error('outer', { cause: inner });
    inner.cause = outer;
    const told = describeError(outer);
    expect(told.causes).toMatchObject([{ name: 'TypeError', message: 'inner token=<masked>' }]);
    expect(told.causes![0]!.stack).toContain('record.test.ts');
    const many = new AggregateError(
      Array.from({ length: 1_000 }, (_, index) => new Error(String(index))),
      'many',
    );
    expect(describeError(many).causes!.map(({ message }) => message)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(describeError(new Error('alone'))).not.toHaveProperty('causes');
  });

  it('takes bounded work, however large it is and however much it names', () => {
    const large = (depth: number): Error =>
      new Error('a_b='.repeat(5_000), depth > 0 ? { cause: large(depth - 1) } : undefined);
    const all = new AggregateError(
      Array.from({ length: 8 }, () => large(8)),
      'x'.repeat(4 * 1024 * 1024),
    );
    const told = describeError(all);
    expect(told.message).toBe(`(${4 * 1024 * 1024} characters)`);
    expect(JSON.stringify(told).length).toBeLessThan(64 * 1024);
  });
});
