/** What docs/triggers.md says, held to the grammar, the agent and the injector. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withFigures } from '../../scripts/readme.ts';
import { mutate } from '../../src/inject/mutate.ts';
import { parseSettings } from '../../src/inject/settings.ts';
import { figuresByRule } from '../../src/protocol/figures.ts';
import { parseRules, triggerCaptures } from '../../src/protocol/triggers.ts';

const page = await readFile('docs/triggers.md', 'utf8');
const row = (part: string) => page.split('\n').find((line) => line.startsWith(`| ${part} |`)) ?? '';
const coded = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code);

// biome-ignore lint/suspicious/noExplicitAny: manifests are looked at as they come
function snippet(name: string): any {
  return parse(new RegExp(`<!-- test: ${name} -->\\n\`\`\`yaml\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? '');
}

describe('docs/triggers.md', () => {
  it('names every figure and every capture', () => {
    expect(coded(row('FIGURE')).sort()).toEqual(Object.keys(figuresByRule).sort());
    expect(page, 'npm run docs').toBe(withFigures(page));
    expect(coded(row('WHAT')).sort()).toEqual([...triggerCaptures].sort());
  });

  it('has an example whose rules make sense and which the injector takes as it is', () => {
    const { template } = snippet('annotation').spec;
    const { annotations } = template.metadata;
    const configMap = snippet('configmap');
    expect(parseRules(annotations['nodeops.dev/triggers'], 'x')).toMatchObject({ rules: [{}, {}], errors: [] });
    expect(parseRules(configMap.data.triggers, 'x')).toMatchObject({ rules: [{}, {}], errors: [] });
    expect(annotations['nodeops.dev/triggers-configmap']).toBe(configMap.metadata.name);
    const { pod, warnings } = mutate(template, { settings: parseSettings({}), namespaceAsks: false });
    expect(warnings).toEqual([]);
    const [container] = pod.spec.containers;
    const env = Object.fromEntries(container!.env!.map(({ name, value }) => [name, value]));
    expect(env.NODEOPS_TRIGGERS).toBe(annotations['nodeops.dev/triggers']);
    expect(page).toContain(`\`${env.NODEOPS_TRIGGERS_FILE}\``);
    const { mountPath } = container!.volumeMounts!.find(({ name }) => name === 'nodeops-triggers')!;
    expect(env.NODEOPS_TRIGGERS_FILE).toBe(`${mountPath}/${Object.keys(configMap.data)[0]}`);
  });

  it('types rules on command lines that make sense', () => {
    const typed = [...page.matchAll(/--triggers '([^']+)'/g)].map(([, rules]) => rules!);
    expect(typed.length).toBeGreaterThan(0);
    for (const rules of typed) expect(parseRules(rules, 'x').errors).toEqual([]);
  });
});
