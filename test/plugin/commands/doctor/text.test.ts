import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/plugin/commands/doctor/check.ts';
import { checkLines, headingLine, summaryLine, ticketText } from '../../../../src/plugin/commands/doctor/text.ts';

const check = (given: Partial<Check>): Check => ({
  id: 'a',
  subject: null,
  status: 'ok',
  what: 'thing',
  detail: null,
  remedy: null,
  ...given,
});
const plain = { columns: 60, colour: false };

describe('the report for people', () => {
  it('is status, what and detail', () => {
    expect(checkLines(check({ detail: 'all is well' }), plain)).toEqual(['ok    thing  (all is well)']);
    expect(checkLines(check({ status: 'skip' }), plain)).toEqual(['skip  thing']);
  });

  it('breaks between a text and a detail that is one long word, never inside the text', () => {
    const long = check({ what: 'agent answers', detail: `pod/${'x'.repeat(50)}` });
    expect(checkLines(long, plain)).toEqual(['ok    agent answers', `      (pod/${'x'.repeat(50)})`]);
  });

  it('breaks long details within 60 columns, below the text', () => {
    const lines = checkLines(check({ status: 'warn', detail: 'word '.repeat(30).trim() }), plain);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.every((line) => line.length <= 60)).toBe(true);
    expect(lines.slice(1).every((line) => line.startsWith('      word'))).toBe(true);
    expect(lines.join(' ').match(/word/g)).toHaveLength(30);
  });

  it('leaves commands and YAML as they are, so that they can be pasted', () => {
    const command = `kubectl create role nodeops ${'--verb=get '.repeat(10)}-n shop`;
    const yaml = 'env:\n- name: NODE_OPTIONS\n  value: ""';
    const lines = checkLines(check({ status: 'fail', remedy: { say: 'do this:', run: [command], yaml } }), plain);
    expect(lines).toEqual([
      'fail  thing',
      '        do this:',
      `          ${command}`,
      '          env:',
      '          - name: NODE_OPTIONS',
      '            value: ""',
    ]);
  });

  it('has colours where they are wanted, and only there', () => {
    const failed = check({ status: 'fail' });
    expect(checkLines(failed, { columns: 60, colour: true })[0]).toMatch(/^\x1b\[31mfail\x1b\[39m {2}thing$/);
    expect(headingLine('cluster', { colour: true })).toContain('\x1b[1m');
    expect(headingLine('cluster', { colour: false })).toBe('cluster');
  });

  it('ends with a count that always names failures', () => {
    const of = (...statuses: Check['status'][]) => summaryLine(statuses.map((status) => check({ status })));
    expect(of('ok', 'ok')).toBe('2 ok, 0 failed');
    expect(of('ok', 'warn', 'fail', 'skip', 'skip')).toBe('1 ok, 1 warning, 1 failed, 2 skipped');
  });
});

describe('the report for a ticket', () => {
  const plugin = { version: '1.2.3', node: 'v24.0.0', platform: 'linux-x64' };

  it('has versions and each check under what it looked at', () => {
    const checks = [
      check({ what: 'kubeconfig' }),
      check({ subject: 'pod/a', what: 'runs' }),
      check({ subject: 'pod/a', status: 'fail', what: 'agent answers', remedy: { run: ['kubectl x'] } }),
    ];
    expect(ticketText({ at: '2026-12-01T00:00:00.000Z', plugin, checks })).toBe(`### nodeops doctor

nodeops 1.2.3, Node.js v24.0.0, linux-x64, 2026-12-01T00:00:00.000Z

\`\`\`text
cluster
ok    kubeconfig
pod/a
ok    runs
fail  agent answers
        kubectl x
\`\`\`

2 ok, 1 failed
`);
  });

  it('is not closed by what a check says', () => {
    const text = ticketText({ at: 'now', plugin, checks: [check({ detail: '```` and on' })] });
    expect(text.match(/^`{5}(?:text)?$/gm)).toEqual(['`````text', '`````']);
  });
});
