import { describe, expect, it } from 'vitest';
import { complete, type Names } from '../../../../src/plugin/commands/completion/complete.ts';
import { commands } from '../../../../src/plugin/commands/index.ts';

const names: Names = {
  pods: async () => [{ value: 'api-0' }, { value: 'api-1' }, { value: 'web-0' }],
  namespaces: async () => [{ value: 'default' }, { value: 'shop' }],
  containers: async (pod) => [{ value: `${pod}-app` }],
  processes: async () => [{ value: '17', description: 'server.js' }],
};
const values = async (...words: string[]) => (await complete(words, commands, names)).map(({ value }) => value);

describe('completion', () => {
  it('offers the commands first', async () => {
    expect(await values('')).toEqual(commands.filter(({ hidden }) => !hidden).map(({ name }) => name));
    expect(await values('st')).toEqual(['stats', 'stack']);
  });

  it('offers pods after a command, with the prefix that was typed', async () => {
    expect(await values('stats', 'api')).toEqual(['api-0', 'api-1']);
    expect(await values('stats', 'pod/api')).toEqual(['pod/api-0', 'pod/api-1']);
    expect(await values('-n', 'shop', 'stats', 'web')).toEqual(['web-0']);
  });

  it("offers flags: the command's own and kubectl's", async () => {
    expect(await values('stats', '--win')).toEqual(['--window']);
    expect(await values('stats', '--name')).toEqual(['--namespace']);
  });

  it('offers the values a flag takes', async () => {
    expect(await values('stats', '-o', '')).toEqual(['wide', 'json', 'yaml', 'kyaml', 'name']);
    expect(await values('stats', '--output=j')).toEqual(['--output=json']);
    expect(await values('stats', '-n', 's')).toEqual(['shop']);
    expect(await values('stats', '-n', 'shop', 'pod/api-0', '-c', '')).toEqual(['api-0-app']);
    expect(await values('stats', 'api-0', '--pid', '1')).toEqual(['17']);
  });

  it('offers nothing where a free value is expected', async () => {
    expect(await values('stats', '--window', '')).toEqual([]);
    expect(await values('options', '')).toEqual([]);
  });
});
