import { describe, expect, it } from 'vitest';
import type { Result } from '../../../../src/plugin/commands/smoke/judge.ts';
import { annotations } from '../../../../src/plugin/commands/smoke/output/annotations.ts';
import { escaped, junitXml } from '../../../../src/plugin/commands/smoke/output/junit.ts';
import { markdownText } from '../../../../src/plugin/commands/smoke/output/markdown.ts';
import { tableText } from '../../../../src/plugin/commands/smoke/output/table.ts';
import { makeReport, type SmokeReport, type Subject } from '../../../../src/plugin/commands/smoke/report.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { type Element, parseXml } from './xml.ts';

const timing = { at: new Date('2026-11-22T23:15:00.123Z'), forMs: 30_000, everyMs: 1_000, warmupMs: 5_000 };
const nasty = `<script>alert("x")</script> & ' | \`a\` ]]> 100% [l](javascript:x) \u0007\ud800 é`;

function result(check: string, status: Result['status'], message = 'a message'): Result {
  return { check, status, value: status === 'unknown' ? null : '1', figure: 1, unit: 'count', limit: '≤ 1', message };
}
function subject(name: string, results: Result[]): Subject {
  const of = {
    target: null,
    workload: null,
    nodeVersion: 'v24.0.0',
    agentVersion: '1.0.0',
    samples: 30,
    failedPolls: 0,
  };
  return { name, ...of, results, evidence: { files: ['/tmp/a.stack.txt'], problems: [nasty] } };
}

const report = makeReport({
  ...timing,
  notes: [nasty],
  subjects: [
    subject('pod/api-0 web/7', [result('max-rss', 'fail', nasty), result('max-handles', 'pass')]),
    subject(nasty, [result('max-rss', 'unknown', nasty), result('max-throttled', 'skip')]),
  ],
});
const empty: SmokeReport = makeReport({
  ...timing,
  notes: [],
  subjects: [],
  problem: new NodeopsError('nothing-matched', nasty, { hint: 'kubectl get pods' }),
});

/** What Jenkins' and Surefire's schemas ask for. */
function checkSuites(root: Element): void {
  expect(root.name).toBe('testsuites');
  const totals = { tests: 0, failures: 0, errors: 0, skipped: 0 };
  for (const suite of root.children) {
    expect(suite.name).toBe('testsuite');
    expect(suite.attributes.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(Number(suite.attributes.time)).toBeGreaterThanOrEqual(0);
    const order = suite.children.map(({ name }) => ['properties', 'testcase', 'system-out'].indexOf(name));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    const cases = suite.children.filter(({ name }) => name === 'testcase');
    const having = (name: string) =>
      cases.filter(({ children }) => children.some((child) => child.name === name)).length;
    const counts = {
      tests: cases.length,
      failures: having('failure'),
      errors: having('error'),
      skipped: having('skipped'),
    };
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) {
      expect(Number(suite.attributes[key])).toBe(counts[key]);
      totals[key] += counts[key];
    }
    for (const { attributes, children } of cases) {
      expect(attributes.name).toBeTruthy();
      expect(attributes.classname).toBeTruthy();
      expect(children.length).toBeLessThanOrEqual(1);
    }
  }
  for (const key of Object.keys(totals) as (keyof typeof totals)[])
    expect(Number(root.attributes[key])).toBe(totals[key]);
}

describe('JUnit', () => {
  it('is well-formed, whatever names and messages hold, and counts what it has', () => {
    const root = parseXml(junitXml(report));
    checkSuites(root);
    const [first, second] = root.children;
    expect(second!.attributes.name).toBe(nasty.replace('\u0007', '\ufffd').replace('\ud800', '\ufffd'));
    const failed = first!.children.find(({ name }) => name === 'testcase')!;
    expect(failed.children[0]).toMatchObject({ name: 'failure', attributes: { type: 'max-rss' } });
    expect(failed.children[0]!.text).toContain('limit: ≤ 1');
  });

  it('holds one error when nothing could be checked', () => {
    const root = parseXml(junitXml(empty));
    checkSuites(root);
    expect(root.attributes).toMatchObject({ tests: '1', errors: '1' });
  });

  it('replaces every character that XML cannot have', () => {
    for (let code = 0; code <= 0xffff; code++)
      if (code < 0x100 || code > 0xd7f0) parseXml(`<a b="${escaped(String.fromCharCode(code))}"/>`);
  });
});

describe('Markdown and annotations', () => {
  it('leave nothing of the text as markup', () => {
    const text = markdownText(report);
    expect(text).not.toMatch(/<script|\[l\]\(|`a`/);
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.length).toBe(2 + 4);
    for (const line of rows) expect(line.split('|')).toHaveLength(8);
    expect(markdownText(empty)).toContain('kubectl get pods');
  });

  it('stay one command a line', () => {
    const hostile = subject('pod/a\n::set-env name=x::y', [result('max-rss', 'fail', 'one\r\n::error::two, 5%')]);
    const lines = annotations(makeReport({ ...timing, notes: [], subjects: [hostile] }));
    expect(lines).toEqual([
      '::error title=max-rss%3A pod/a%0A%3A%3Aset-env name=x%3A%3Ay::one%0D%0A::error::two, 5%25',
    ]);
  });

  it('are as many as GitHub shows, and say how many there are', () => {
    const many = subject(
      'pod/a',
      Array.from({ length: 30 }, () => result('max-rss', 'fail')),
    );
    const lines = annotations(makeReport({ ...timing, notes: [], subjects: [many] }));
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toContain('and 21 more');
  });
});

describe('the table', () => {
  it('shows what failed first, says why something was not checked, and sums up what passed', async () => {
    const passing = Array.from({ length: 5 }, (_, n) => subject(`pod/api-${n}`, [result('max-handles', 'pass')]));
    const made = makeReport({ ...timing, notes: [], subjects: [...passing, ...report.subjects] });
    const lines = (await tableText(made, false)).split('\n');
    expect(lines[0]).toMatch(/^STATUS +CHECK +VALUE +LIMIT +PROCESS$/);
    expect(lines[1]).toMatch(/^FAIL +max-rss/);
    expect(lines[2]).toMatch(/^\?\?\?\? +max-rss/);
    expect(lines.filter((line) => line.startsWith('pass'))).toHaveLength(1);
    expect(lines.at(-2)).toBe('1 failed, 1 could not be checked, 6 passed, 1 not applicable');
    expect((await tableText(made, true)).split('\n').filter((line) => line.startsWith('pass'))).toHaveLength(6);
  });

  it('is no pass when nothing was checked', () => {
    expect(makeReport({ ...timing, notes: [], subjects: [] }).verdict).toBe('unknown');
    const skipped = subject('pod/a', [result('max-throttled', 'skip')]);
    expect(makeReport({ ...timing, notes: [], subjects: [skipped] }).verdict).toBe('unknown');
  });
});
