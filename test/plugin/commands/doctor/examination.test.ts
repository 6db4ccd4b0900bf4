import { describe, expect, it } from 'vitest';
import { fail, ok, warn } from '../../../../src/plugin/commands/doctor/check.ts';
import { Examination } from '../../../../src/plugin/commands/doctor/examination.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';

const open = (signal = new AbortController().signal, mask = (text: string) => text) =>
  new Examination('pod/api-0', signal, mask);
const results = (exam: Examination) => Promise.all(exam.checks);

describe('an examination', () => {
  it('hands on values and keeps the order in which checks were declared', async () => {
    const exam = open();
    const first = exam.link({ id: 'a', what: 'first', needs: [] }, async () => {
      await new Promise((done) => setTimeout(done, 30));
      return ok('there', 20);
    });
    const second = exam.link({ id: 'b', what: 'second', needs: [] }, () => warn('odd', { say: 'try' }, 22));
    exam.link({ id: 'c', what: 'sum', needs: [first, second] }, (_, a, b) => ok(String(a + b)));
    expect(await results(exam)).toEqual([
      { id: 'a', subject: 'pod/api-0', status: 'ok', what: 'first', detail: 'there', remedy: null },
      { id: 'b', subject: 'pod/api-0', status: 'warn', what: 'second', detail: 'odd', remedy: { say: 'try' } },
      { id: 'c', subject: 'pod/api-0', status: 'ok', what: 'sum', detail: '42', remedy: null },
    ]);
  });

  it('runs independent checks side by side', async () => {
    const exam = open();
    let open_ = () => {};
    const gate = new Promise<void>((done) => {
      open_ = done;
    });
    exam.link({ id: 'a', what: 'waits for the next one', needs: [] }, async () => {
      await gate;
      return ok('');
    });
    exam.link({ id: 'b', what: 'lets it go on', needs: [] }, () => {
      open_();
      return ok('');
    });
    expect((await results(exam)).map(({ status }) => status)).toEqual(['ok', 'ok']);
  });

  it('skips what depends on a failed check, however far, naming that one', async () => {
    const exam = open();
    const first = exam.link({ id: 'a', what: 'the first', needs: [] }, () => fail('broken', { say: 'mend' }));
    const second = exam.link({ id: 'b', what: 'the second', needs: [first] }, () => ok('never'));
    exam.link({ id: 'c', what: 'the third', needs: [second] }, () => ok('never'));
    const [, b, c] = await results(exam);
    expect(b).toMatchObject({ status: 'skip', detail: 'needs: the first' });
    expect(c).toMatchObject({ status: 'skip', detail: 'needs: the first' });
  });

  it('turns an error into a failed check whose hint is what mends it', async () => {
    const exam = open();
    exam.link({ id: 'a', what: 'a', needs: [] }, () => {
      throw new NodeopsError('forbidden', 'may not', { hint: 'kubectl auth whoami' });
    });
    exam.link({ id: 'b', what: 'b', needs: [] }, async () => {
      throw new NodeopsError('failed', 'is not', { hint: 'look here, then there' });
    });
    exam.link({ id: 'c', what: 'c', needs: [] }, () => {
      throw new NodeopsError('forbidden', 'may not', {
        hint: 'an administrator can grant it: kubectl create role nodeops -n shop, and bind it with a rolebinding',
      });
    });
    const [a, b, c] = await results(exam);
    // commands stand on lines of their own, which are not broken
    expect(c!.remedy).toEqual({
      say: 'an administrator can grant it, and bind it with a rolebinding:',
      run: ['kubectl create role nodeops -n shop'],
    });
    expect(a).toMatchObject({ status: 'fail', detail: 'may not', remedy: { run: ['kubectl auth whoami'] } });
    expect(b).toMatchObject({ status: 'fail', detail: 'is not', remedy: { say: 'look here, then there' } });
  });

  it('gives up a check that does not answer, and tells it', async () => {
    const exam = open();
    let told = false;
    exam.link({ id: 'a', what: 'a', needs: [], timeoutMs: 50 }, (signal) => {
      signal.addEventListener('abort', () => {
        told = true;
      });
      return new Promise<never>(() => {});
    });
    expect(await results(exam)).toMatchObject([{ status: 'fail', detail: 'no answer within 0.05 s' }]);
    expect(told).toBe(true);
  });

  it('ends with an interruption instead of a result', async () => {
    const interrupt = new AbortController();
    const exam = open(interrupt.signal);
    const first = exam.link({ id: 'a', what: 'a', needs: [] }, () => new Promise<never>(() => {}));
    exam.link({ id: 'b', what: 'b', needs: [first] }, () => ok(''));
    interrupt.abort();
    await expect(exam.checks[0]).rejects.toMatchObject({ code: 'interrupted' });
    await expect(exam.checks[1]).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('masks details and every part of a remedy', async () => {
    const exam = open(undefined, (text) => text.replaceAll('hush', '***'));
    exam.link({ id: 'a', what: 'a', needs: [] }, () =>
      fail('a hush', { say: 'say hush', run: ['run hush'], yaml: 'yaml: hush' }),
    );
    expect(await results(exam)).toMatchObject([
      { detail: 'a ***', remedy: { say: 'say ***', run: ['run ***'], yaml: 'yaml: ***' } },
    ]);
  });
});
