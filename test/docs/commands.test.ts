/** What docs/ says of commands, protocol and settings, checked against their declarations. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Command } from '../../src/plugin/cli/command.ts';
import { commands } from '../../src/plugin/commands/index.ts';
import { kubeFlags } from '../../src/plugin/transport/kube/options.ts';
import { captures } from '../../src/protocol/captures.ts';
import { errorCodes } from '../../src/protocol/errors.ts';
import { limits } from '../../src/protocol/limits.ts';
import { operations } from '../../src/protocol/operations.ts';

const folder = 'docs/commands';
const index = await readFile(join(folder, 'README.md'), 'utf8');
/** The page of each command that the index names. */
const pages = new Map([...index.matchAll(/\[([a-z-]+)\]\(([a-z-]+\.md)\)/g)].map(([, name, page]) => [name!, page!]));
const visible = commands.filter(({ hidden }) => !hidden);
const shared = ['help', 'version', ...Object.values(kubeFlags).map(({ flag }) => flag)];

/** The long flags of a text, without dashes. */
const flagsIn = (text: string) => [...text.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, flag]) => flag!);

function unknown(flags: readonly string[], of: readonly Command[]): string[] {
  const known = new Set([...shared, ...of.flatMap((command) => Object.keys(command.flags))]);
  return flags.filter((flag) => !known.has(flag));
}

/** Lines of code that type a command: what is typed, and which command it is. */
function typed(text: string): { line: string; command: Command | undefined }[] {
  return [...text.matchAll(/^ {4}(?:\$ )?(?:kubectl )?nodeops (.+)$/gm)].map(([, words]) => {
    const line = words!.split(/\s[|>]|\s{3,}/)[0]!;
    const command = line
      .split(/\s+/)
      .map((word) => commands.find(({ name, aliases }) => name === word || aliases?.includes(word)))
      .find(Boolean);
    return { line, command };
  });
}

describe('docs/commands', () => {
  it('has a page for every command', () => {
    expect(visible.length).toBeGreaterThan(20);
    expect(visible.map(({ name }) => name).filter((name) => !pages.has(name))).toEqual([]);
  });

  it('has every page in its index', async () => {
    const files = (await readdir(folder)).filter((name) => name !== 'README.md');
    expect(files.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });

  it.each(visible.map(({ name }) => name))(
    'the page of %s names its command and only flags that there are',
    async (name) => {
      const page = pages.get(name)!;
      const text = await readFile(join(folder, page), 'utf8');
      expect(text).toContain(`nodeops ${name}`);
      const here = visible.filter((command) => pages.get(command.name) === page);
      // other programs' flags stand behind the program's name: `node --inspect`
      const named = [...text.matchAll(/`(-[^`]+)`/g)].flatMap(([, code]) => flagsIn(code!));
      expect(unknown(named, here)).toEqual([]);
      for (const { line, command } of typed(text))
        expect({ line, unknown: unknown(flagsIn(line), command ? [command] : here) }).toEqual({ line, unknown: [] });
    },
  );
});

describe('docs/protocol.md', async () => {
  const text = await readFile('docs/protocol.md', 'utf8');
  const section = (title: string) => text.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

  it('lists every operation with its method', () => {
    const listed: Record<string, string> = {};
    for (const [, method, names] of section('Operations').matchAll(/^\| (GET|POST) ([^|]+)\|/gm))
      for (const [, name] of names!.matchAll(/`([a-z-]+)`/g)) listed[name!] = method!;
    const declared = Object.entries(operations).map(([name, { effect }]) => [name, effect === 'read' ? 'GET' : 'POST']);
    expect(listed).toEqual(Object.fromEntries(declared));
  });

  it('lists every capture', () => {
    const [, first] = section('Captures').split('\n\n');
    const listed = [...first!.split(' are jobs')[0]!.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(captures));
  });

  it('lists every limit with its value', () => {
    const listed = [
      ...section('Limits').matchAll(/`([a-zA-Z]+(?:Bytes|Ms)|connections|jobsKept|processes)` (\d+(?: \w+)?)/g),
    ];
    const said = Object.entries(limits).map(([name, value]) => [name, inUnits(name, value)]);
    expect(
      Object.fromEntries(listed.map(([, name, value]) => [name, unitless(name!) ? value!.split(' ')[0] : value])),
    ).toEqual(Object.fromEntries(said));
  });

  it("lists agents' error codes with their HTTP status", () => {
    const [, list = ''] = section('Replies').split('[errors.md](errors.md):');
    const listed: Record<string, number> = {};
    for (const [, status, names] of list.matchAll(/(\d{3})((?: `[a-z-]+`)+)/g))
      for (const [, code] of names!.matchAll(/`([a-z-]+)`/g)) listed[code!] = Number(status);
    expect(Object.keys(listed)).toHaveLength(15);
    expect(listed).toEqual(
      Object.fromEntries(
        Object.keys(listed).map((code) => [code, errorCodes[code as keyof typeof errorCodes]?.status]),
      ),
    );
  });
});

const unitless = (name: string) => !/(?:Bytes|Ms)$/.test(name);

/** `8 KiB`, `10 s`, `1 min`: the largest unit in which it is whole. */
function inUnits(name: string, value: number): string {
  if (unitless(name)) return String(value);
  const units: [string, number][] = name.endsWith('Ms')
    ? [
        ['min', 60_000],
        ['s', 1_000],
        ['ms', 1],
      ]
    : [
        ['GiB', 1024 ** 3],
        ['MiB', 1024 ** 2],
        ['KiB', 1024],
        ['B', 1],
      ];
  const [unit, size] = units.find(([, size]) => value % size === 0)!;
  return `${value / size} ${unit}`;
}

describe('docs/configuration.md', () => {
  it('lists every NODEOPS_ variable of the sources and no other', async () => {
    const variables = (text: string) => text.match(/NODEOPS_[A-Z0-9][A-Z0-9_]*/g) ?? [];
    const files = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
    const mentioned = await Promise.all(
      files.map(async (name) => variables(await readFile(join('src', name), 'utf8'))),
    );
    const documented = variables(await readFile('docs/configuration.md', 'utf8'));
    expect([...new Set(documented)].sort()).toEqual([...new Set(mentioned.flat())].sort());
  });

  it('lists every option of listen()', async () => {
    const declared = await readFile('src/agent/public.d.ts', 'utf8');
    const [, body = ''] = /interface ListenOptions \{(.*?)^\}/ms.exec(declared) ?? [];
    const options = [...body.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name!);
    expect(options.length).toBeGreaterThan(5);
    const text = await readFile('docs/configuration.md', 'utf8');
    expect(options.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('links', async () => {
  const files = (await readdir('docs', { recursive: true })).filter((name) => name.endsWith('.md'));

  it.each(files)('of docs/%s lead to files that are there', async (name) => {
    const path = join('docs', name);
    const text = await readFile(path, 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) await stat(join(dirname(path), target!));
  });
});
