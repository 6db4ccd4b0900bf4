import { describe, expect, it } from 'vitest';
import { plainText } from '../../../../scripts/help-pages.ts';
import { commands } from '../../../../src/plugin/commands/index.ts';
import { Plugin } from '../plugin.ts';

const plugin = await Plugin.build();

describe('help', () => {
  it('has a page for every command and for what is no command', async () => {
    const { stdout, code } = await plugin.run(['help']);
    const topics = [...stdout.toString().matchAll(/help (\S+)$/gm)].map(([, topic]) => topic!);
    expect(code).toBe(0);
    expect(topics).toEqual(expect.arrayContaining(['why', 'errors', 'configuration', 'security', 'triggers']));
    const shared = ['pprof-cpu', 'pprof-heap', 'disable'];
    const names = commands.flatMap(({ name, hidden }) => (hidden || shared.includes(name) ? [] : [name]));
    expect(names.filter((name) => !topics.includes(name))).toEqual([]);
  });

  it('prints the page of a command that shares it', async () => {
    const { stdout } = await plugin.run(['help', 'pprof-heap']);
    expect(stdout.toString()).toContain('nodeops pprof-heap');
  });

  it('prints what a command does, and then its findings', async () => {
    const { stdout } = await plugin.run(['help', 'why']);
    expect(stdout.toString()).toMatch(/^WHY\n[\s\S]*THE FINDINGS[\s\S]*\n {2}heap-growth +the heap does not grow/);
    expect(stdout.toString()).not.toMatch(/\]\(|<!--|\| ---/);
  });

  it('refuses a topic that is none', async () => {
    expect(await plugin.run(['help', 'nope'])).toMatchObject({
      code: 2,
      stderr: "nodeops: there is no topic 'nope'; nodeops help lists them\n",
    });
  });
});

it('Markdown is printed as one reads it', () => {
  const page = [
    ...['# A page', '', 'See [`other`](other.md#x), **now**.', 'It goes on.', '', '- one', '  more of one', '- two'],
    ...['', '| a | b |', '| --- | --- |', '| `x\\|y` | why |', '', '    verbatim `as is`', '', '```sh', 'run', '```'],
  ];
  expect(plainText(page.join('\n'))).toBe(
    [
      ...['A PAGE', '', 'See other, now. It goes on.', '', '- one more of one', '- two', '', '  a    b', '  x|y  why'],
      ...['', '    verbatim `as is`', '', '    run', ''],
    ].join('\n'),
  );
});
