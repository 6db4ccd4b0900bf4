/** What is known in one place: the same knowledge written twice drifts apart, and becomes a fault. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { statusAnnotations, wishAnnotations } from '../../src/protocol/annotations.ts';
import { sourceFiles } from '../bed/graph.ts';

const sources = sourceFiles().filter((file) => /^(?:src|cmd)\//.test(file));
const those = (pattern: RegExp) => sources.filter((file) => pattern.test(readFileSync(file, 'utf8')));

it.each([
  ['the fields of stat', /lastIndexOf\('\)'\)/, 'src/proc/identity.ts'],
  ['the pid namespace', /ns\/pid/, 'src/proc/identity.ts'],
  ['how long a tick of the kernel is', /ticksPerSecond =/, 'src/proc/identity.ts'],
  ['the prefix of annotations', /= 'nodeops\.dev\/'/, 'src/protocol/annotations.ts'],
  ["the sidecar's name", /'nodeops-sidecar'/, 'src/protocol/annotations.ts'],
  ['what rules call a figure', /rule: 'heapUsed'/, 'src/protocol/figures.ts'],
])('%s: in one file', (_, pattern, file) => {
  expect(those(pattern)).toEqual([file]);
});

it('no sentence names an annotation that there is none of', () => {
  const known = [...Object.values(wishAnnotations), ...Object.values(statusAnnotations)] as string[];
  const chart = ['deploy/helm/nodeops/templates/_policy.tpl'];
  const named = [...sources, ...chart].flatMap((file) => {
    const text = readFileSync(file, 'utf8').replaceAll('nodeops.dev~1', 'nodeops.dev/');
    return [...text.matchAll(/\bnodeops\.dev\/(?!schema)[a-z][a-z-]+/g)].map(([name]) => ({ file, name }));
  });
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ name }) => !known.includes(name))).toEqual([]);
});
