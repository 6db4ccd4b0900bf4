import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Pod } from '../../src/inject/pod.ts';
import { parseSettings, type Settings } from '../../src/inject/settings.ts';

export interface Case {
  name: string;
  file: string;
  settings: Settings;
  namespaceAsks: boolean;
  pod: Pod;
  /** The pod that results; the pod itself where nothing is to change. */
  out: Pod;
  skipped: string[];
}

/** `!times "3 ab"` is `ababab`. */
const times = {
  tag: '!times',
  resolve(text: string) {
    const [count = '', repeated = ''] = text.split(' ');
    return repeated.repeat(Number(count));
  },
};

const folder = new URL('cases/', import.meta.url);

/** The table of test/inject/cases, as its README describes it. */
export const cases: readonly Case[] = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const table = parse(text, { merge: true, maxAliasCount: 1_000, customTags: [times] });
    return table.cases.map((row: Partial<Case> & { name: string; pod: Pod }) => ({
      name: row.name,
      file,
      settings: parseSettings({ ...table.base, ...row.settings }),
      namespaceAsks: row.namespaceAsks ?? false,
      pod: row.pod,
      out: row.out ?? row.pod,
      skipped: row.skipped ?? [],
    }));
  });
