import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { pictureFile, recordedLines } from '../../scripts/recording.ts';
import { terminalSvg } from '../../scripts/svg.ts';
import { whyText } from '../../src/plugin/commands/why/text.ts';
import type { Case } from '../../src/why/case.ts';
import { diagnose } from '../../src/why/diagnose.ts';

const recorded = recordedLines(readFileSync('README.md', 'utf8'));
const picture = readFileSync(pictureFile, 'utf8');

it('the README shows what its picture shows', () => {
  expect(picture).toBe(terminalSvg(recorded, 'kubectl nodeops why pod/login-0, and its answer'));
  expect(readFileSync('README.md', 'utf8')).toContain(`](${pictureFile})`);
});

it('the recorded answer is in the words of today (npm run recording)', () => {
  const seen = JSON.parse(gunzipSync(readFileSync('test/fixtures/why/sync-crypto.24.json.gz')).toString()) as Case;
  const target = { namespace: 'x', pod: 'login-0', container: 'app', pid: 1, address: null };
  const case_ = { ...seen, ended: false, requests: seen.requests ?? [] };
  const paint = { colors: false, columns: 100, now: new Date(seen.at) };
  const today = whyText({ target, case: case_, diagnosis: diagnose(case_) }, (next) => next, paint);
  // figures, names and how lines are broken differ
  const words = (lines: readonly string[], title: string) => {
    const from = lines.findIndex((line) => line.trimStart().startsWith(title));
    const to = lines.findIndex((line, at) => at > from && /^ {3}\w|^\s*$/.test(line));
    return lines.slice(from, to).join(' ').replaceAll(/\s+/g, ' ').trim();
  };
  expect(recorded[0]).toBe('$ kubectl nodeops why pod/login-0');
  expect(words(recorded, 'mend')).toBe(words(today, 'mend'));
  const [told] = /^1\. [^:]+: \w+, called by verifyPassword/.exec(words(today, '1.')) ?? [];
  expect(words(recorded, '1.').startsWith(told!)).toBe(true);
});

it('a terminal is drawn with what is markup in SVG escaped', () => {
  expect(terminalSvg(['$ a', '1. <b> & "c"', ''], 'x "y"')).toMatch(
    /aria-label="x &quot;y&quot;"[\s\S]*class="typed"[^>]*>\$ a<[\s\S]*class="found"[^>]*>1\. &lt;b&gt; &amp; &quot;c&quot;</,
  );
});
