/**
 * `npm run recording`: types what the README's first screen shows, on a pod of the embedded cluster, and writes what the real program
 * answered into README.md and docs/why.svg. A test compares both with one another and with today's words.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { openBed } from '../test/e2e/bed.ts';
import { container, hashing, pod } from '../test/e2e/pods.ts';
import { terminalSvg } from './svg.ts';

export const pictureFile = 'docs/why.svg';
const begin = '<!-- recording: npm run recording -->';
const end = '<!-- /recording -->';
const typed = '$ kubectl nodeops why pod/login-0';

/** Lines of the README between the marks: what was typed, and the answer. */
export function recordedLines(readme: string): string[] {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md has no ${begin} … ${end}`);
  const [, block = ''] = /```console\n(.*?)\n```/s.exec(readme.slice(from, to)) ?? [];
  return block.split('\n');
}

function withRecording(readme: string, lines: readonly string[]): string {
  recordedLines(readme);
  const block = `\n\n\`\`\`console\n${lines.join('\n')}\n\`\`\`\n\n`;
  return readme.slice(0, readme.indexOf(begin) + begin.length) + block + readme.slice(readme.indexOf(end));
}

/** As a file of an image would be: pods of the embedded cluster have none. */
const script = `globalThis.require = require; require('node:vm').runInThisContext(${JSON.stringify(hashing)}, { filename: '/app/src/login.js' })`;

if (import.meta.main) {
  const bed = await openBed();
  try {
    await bed.create(pod('login-0', [container(bed, { script })]));
    await bed.ready('login-0');
    await bed.answering(1, 'login-0');
    // the recorder has a past then
    await new Promise((done) => setTimeout(done, 15_000));
    const { code, stdout, stderr } = await bed.nodeops(['why', 'pod/login-0']);
    if (code !== 0) throw new Error(stderr);
    // the namespace is the bed's own
    const lines = [typed, ...stdout.replaceAll(` -n ${bed.namespace}`, '').trimEnd().split('\n')];
    await writeFile('README.md', withRecording(await readFile('README.md', 'utf8'), lines));
    await writeFile(pictureFile, terminalSvg(lines, 'kubectl nodeops why pod/login-0, and its answer'));
  } finally {
    await bed.close();
  }
}
