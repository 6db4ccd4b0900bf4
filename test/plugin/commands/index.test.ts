import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type { Command } from '../../../src/plugin/cli/command.ts';
import { commands } from '../../../src/plugin/commands/index.ts';
import { kubeFlags } from '../../../src/plugin/transport/kube/options.ts';

const isCommand = (value: unknown): value is Command =>
  typeof value === 'object' && value !== null && 'usage' in value && 'run' in value && 'flags' in value;

it('every command that is written is in the table, once', async () => {
  const files = (await readdir('src/plugin/commands', { recursive: true })).filter((name) =>
    name.endsWith('/command.ts'),
  );
  const urls = files.map((name) => pathToFileURL(resolve('src/plugin/commands', name)).href);
  const modules = await Promise.all(urls.map((url) => import(url)));
  const written = modules.flatMap((module) => Object.values(module).filter(isCommand));
  expect(written.length).toBeGreaterThan(15);
  expect(written.filter((command) => !commands.includes(command)).map(({ name }) => name)).toEqual([]);
  const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  expect(names).toEqual([...new Set(names)]);
});

it('-o is the form of what is told on every command that has it', () => {
  const ofForm = (flag: { type: string; short?: string }) => flag.type === 'choice';
  const others = commands.flatMap(({ name, flags }) =>
    Object.values(flags).flatMap((flag) => (flag.short === 'o' && !ofForm(flag) ? [name] : [])),
  );
  expect(others).toEqual([]);
});

it('no command has a flag that kubectl has for every command', () => {
  const kubectl = new Set<string>(
    Object.values(kubeFlags).flatMap(({ flag, ...rest }) => [flag, 'short' in rest ? rest.short : flag]),
  );
  const both = commands.flatMap(({ name, flags }) =>
    Object.entries(flags)
      .filter(([flag, { short }]) => kubectl.has(flag) || (short !== undefined && kubectl.has(short)))
      .map(([flag]) => `${name} --${flag}`),
  );
  expect(both).toEqual([]);
});
