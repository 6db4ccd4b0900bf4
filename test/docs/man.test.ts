import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manPage } from '../../scripts/man.ts';
import { commands } from '../../src/plugin/commands/index.ts';

const errors = readFileSync('docs/errors.md', 'utf8');
const page = manPage({ version: '1.2.3', date: new Date('2026-12-01T00:00:00Z'), errors });
const groff = (...args: string[]) => spawnSync('groff', ['-man', '-Kutf8', ...args], { input: page, encoding: 'utf8' });
const hasGroff = groff('-Tutf8', '-P-cbou').status === 0;

describe('kubectl-nodeops(1)', () => {
  it('has every command with its flags, and every exit code', () => {
    expect(page).toMatch(/^\.TH KUBECTL\\-NODEOPS 1 2026-12-01 "nodeops 1\.2\.3"/);
    for (const { name, flags, hidden } of commands.filter((each) => !each.hidden)) {
      const section = page.split(/^\.SS /m).find((part) => part.split(/\s/)[0] === name.replaceAll('-', '\\-'));
      expect([name, hidden ?? false, section !== undefined]).toEqual([name, false, true]);
      for (const flag of Object.keys(flags)) expect(section).toContain(`\\-\\-${flag.replaceAll('-', '\\-')}`);
    }
    expect([...page.matchAll(/^\.B (\d+)$/gm)].map(([, code]) => code)).toEqual(
      [...errors.matchAll(/^\| (\d+) /gm)].map(([, code]) => code),
    );
  });

  it('has no line that roff would take for a request', () => {
    const requests = /^\.(?:TH|ad|SH|SS|TP|PP|B|I|BR|nf|fi|RS|RE)\b/;
    expect(page.split('\n').filter((line) => /^[.']/.test(line) && !requests.test(line))).toEqual([]);
  });

  it('is set by groff without a warning', ({ skip }) => {
    skip(!hasGroff, 'groff is not installed');
    const { stdout, stderr } = groff('-Tutf8', '-P-cbou', '-ww');
    expect(stderr).toBe('');
    expect(stdout).toMatch(/why TARGET\.\.\.\n +Say what is wrong with a process/);
  });
});
