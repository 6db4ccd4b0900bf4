import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { BooleanOption } from '../../../src/plugin/cli/flags.ts';
import { invoke } from '../invoke.ts';

function parse(...argv: string[]): { opts: object; args: string[] } {
  const program = new Command('x')
    .addOption(new BooleanOption('-A, --all', 'all'))
    .addOption(new BooleanOption('--force', 'force'))
    .addOption(new BooleanOption('--no-open', 'do not open'))
    .option('-n, --name <NAME>', 'name')
    .argument('[args...]')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parse(argv, { from: 'user' });
  return { opts: program.opts(), args: program.args };
}

describe('a boolean flag', () => {
  it.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('=%s is true', (text) => {
    expect(parse(`--all=${text}`, `-A=${text}`).opts).toEqual({ all: true, open: true });
  });

  it.each(['0', 'f', 'F', 'false', 'FALSE', 'False'])('=%s is false', (text) => {
    expect(parse(`--all=${text}`).opts).toEqual({ all: false, open: true });
    expect(parse(`-A=${text}`).opts).toEqual({ all: false, open: true });
  });

  it.each(['', 'yes', 'tRUE', '2', 'true '])('=%j is refused in one sentence', (text) => {
    expect(() => parse(`--all=${text}`)).toThrow(`--all is '${text}'; it takes true or false`);
  });

  it('takes no argument after a space, and the last one counts', () => {
    expect(parse('--all', 'false')).toEqual({ opts: { all: true, open: true }, args: ['false'] });
    expect(parse('--all=false', '--all').opts).toEqual({ all: true, open: true });
    expect(parse('--all', '-A=false', '--force').opts).toEqual({ all: false, force: true, open: true });
  });

  it('is no flag as the value of another, or after --', () => {
    expect(parse('--name', '--all=false', '--', '--force=x')).toEqual({
      opts: { name: '--all=false', open: true },
      args: ['--force=x'],
    });
  });

  it('of the kind --no-x takes no value', () => {
    expect(parse('--no-open').opts).toEqual({ open: false });
    expect(() => parse('--no-open=true')).toThrow("unknown option '--no-open=true'");
  });
});

describe('of the plugin', () => {
  const env = { KUBECONFIG: '/nonexistent/kubeconfig' };

  it.each([
    ['--insecure-skip-tls-verify=maybe', '--insecure-skip-tls-verify'],
    ['-A=maybe', '--all-namespaces'],
    ['--all-processes=maybe', '--all-processes'],
  ])('%s is refused by name', async (typed, flag) => {
    const { code, stdout, stderr } = await invoke(['list', typed], { env });
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: `nodeops: ${flag} is 'maybe'; it takes true or false\n`,
    });
  });

  it('are taken with a value', async () => {
    const typed = ['--insecure-skip-tls-verify=true', '-A=false', '--all-processes=0', '--disable-compression=T'];
    const { stderr } = await invoke(['stack', 'api-0', ...typed], { env });
    expect(stderr).toContain('no cluster to talk to');
  });
});
