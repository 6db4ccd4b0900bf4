/** Completion through the real kubectl and through a real bash. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { kubectlPath } from '../binaries/kubectl.ts';
import { type Bed, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

let bed: Bed;
let bin: string;
let path: string;

beforeAll(async () => {
  bed = await openBed();
  await bed.create(
    pod('shop-0', [
      container(bed, { name: 'web', script: healthy }),
      container(bed, { name: 'jobs', script: healthy }),
    ]),
  );
  await bed.ready('shop-0');
  bin = await mkdtemp(join(tmpdir(), 'nodeops-e2e-completion-'));
  path = `${bin}${delimiter}${process.env.PATH}`;
  await symlink(resolve('dist/kubectl-nodeops'), join(bin, 'kubectl-nodeops'));
  await symlink(resolve('dist/kubectl-nodeops'), join(bin, 'nodeops'));
  await vi.waitFor(async () => expect((await bed.nodeops(['version', 'shop-0', '--all-processes'])).code).toBe(0), {
    timeout: 50_000,
    interval: 200,
  });
});
afterAll(async () => {
  await bed?.close();
  await rm(bin, { recursive: true, force: true });
});

const withPath = () => ({ env: { PATH: path } });
/** As kubectl's own completion script asks. */
const complete = async (...words: string[]) => {
  const { stdout } = await bed.nodeops(words, withPath());
  return stdout;
};

describe('kubectl', () => {
  it('has no completion for the plugin until it is installed by one command', async () => {
    const installed = await bed.nodeops(['completion', 'install', '--dir', bin], withPath());
    expect(installed).toMatchObject({ code: 0, stdout: `${join(bin, 'kubectl_complete-nodeops')}\n` });
  });

  it.each([
    ['commands', ['sta'], ['stats', 'stack'], ['memstats']],
    ['flags', ['stats', '--all-p'], ['--all-processes'], ['--window']],
    ['values of a flag', ['stats', 'shop-0', '-o', ''], ['wide', 'json', 'yaml', 'kyaml', 'name'], []],
    ['pods', ['stats', 'sh'], ['shop-0'], []],
    ['pods behind pod/', ['stats', 'pod/'], ['pod/shop-0'], []],
    ['containers', ['stats', 'shop-0', '-c', ''], ['web', 'jobs'], []],
    ['processes', ['stats', 'shop-0', '--pid', ''], ['1'], []],
  ])('completes %s through __complete', async (_, words, expected, unexpected) => {
    const output = await completed(words);
    const values = output.split('\n').map((line) => line.split('\t')[0]);
    expect(values).toEqual(expect.arrayContaining(expected));
    for (const value of unexpected) expect(values).not.toContain(value);
    // no file names
    expect(values).toContain(':4');
  });

  /** `kubectl __complete -n NS nodeops WORDS…`, which looks for kubectl_complete-nodeops on the PATH. */
  async function completed(words: readonly string[], kubeconfig = bed.kubeconfig): Promise<string> {
    const kubectl = await kubectlPath();
    return new Promise((done) => {
      execFile(
        kubectl,
        ['__complete', 'nodeops', '-n', bed.namespace, ...words],
        { env: { ...process.env, PATH: path, KUBECONFIG: kubeconfig, NODE_OPTIONS: '' }, timeout: 50_000 },
        (_error, stdout) => done(stdout),
      );
    });
  }

  it('gets an empty list, and no error, from a cluster that does not answer', async () => {
    const values = await completed(['stats', ''], '/nonexistent');
    expect(values).toBe(':4\n');
  });
});

describe('a shell', () => {
  const bash = (script: string) =>
    new Promise<string>((done, failed) => {
      const env = { ...process.env, PATH: path, KUBECONFIG: bed.kubeconfig, NODE_OPTIONS: '' };
      execFile('bash', ['--norc', '-c', script], { env, timeout: 50_000 }, (error, stdout, stderr) =>
        error ? failed(new Error(stderr)) : done(stdout),
      );
    });
  const inBash = async (...words: string[]) =>
    (
      await bash(`source <(nodeops completion bash)
        COMP_WORDS=(nodeops ${words.map((word) => `'${word}'`).join(' ')})
        COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
        _nodeops
        printf '%s\\n' "\${COMPREPLY[@]}"`)
    )
      .trim()
      .split('\n');

  it('completes commands, flags and pods in bash', async () => {
    expect(await inBash('sta')).toEqual(['stats', 'stack']);
    expect(await inBash('waits', '--all-p')).toEqual(['--all-processes']);
    expect(await inBash('-n', bed.namespace, 'stats', 'sho')).toEqual(['shop-0']);
  });

  it('knows the function that completes', async () => {
    expect(await bash('source <(nodeops completion bash); complete -p nodeops')).toBe('complete -F _nodeops nodeops\n');
  });

  const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
  const runShell = (shell: string, ...args: string[]): Promise<string> =>
    new Promise((done, failed) => {
      const env = {
        ...process.env,
        PATH: path,
        KUBECONFIG: bed.kubeconfig,
        NODE_OPTIONS: '',
        HOME: bin,
        TERM: 'xterm',
      };
      execFile(shell, args, { env, timeout: 100_000 }, (error, stdout, stderr) =>
        error ? failed(new Error(stderr)) : done(stdout),
      );
    });

  it('completes in fish (where it is installed)', async ({ skip }) => {
    skip(!has('fish'), 'fish is not installed');
    const asked = ['nodeops sta', 'nodeops waits --all-p', `nodeops -n ${bed.namespace} stats sho`];
    const script = `nodeops completion fish | source; ${asked.map((line) => `complete -C '${line}'`).join('; ')}`;
    const found = (await runShell('fish', '--no-config', '-c', script)).trim().split('\n');
    expect(found.map((line) => line.split('\t')[0]).sort()).toEqual(['--all-processes', 'shop-0', 'stack', 'stats']);
  });

  it('completes in zsh (where it is installed), on a terminal', async ({ skip }) => {
    skip(!has('zsh'), 'zsh is not installed');
    const line = `nodeops -n ${bed.namespace} stats sho`;
    // what is read back is what the line editor made of the line; it is shown once the line is left with Ctrl-X
    const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source <(nodeops completion zsh)'
      zpty -w shell 'show() { print -r -- "LINE=$BUFFER="; zle -I }; zle -N show; bindkey "^X" show; print READY'
      zpty -r shell seen '*READY*READY*'
      zpty -w -n shell $'${line}\t\x18'
      zpty -r shell seen '*LINE=*=*'
      print -r -- "$seen"
      zpty -d shell`;
    expect(await runShell('zsh', '-f', '-c', script)).toContain(`LINE=nodeops -n ${bed.namespace} stats shop-0 =`);
  });

  it('prints scripts for zsh and fish, and refuses another shell', async () => {
    expect(await complete('completion', 'zsh')).toMatch(/^#compdef nodeops\n/);
    expect(await complete('completion', 'fish')).toMatch(/^complete -c nodeops /);
    expect(await bed.nodeops(['completion', 'tcsh'], withPath())).toMatchObject({ code: 2, stdout: '' });
  });
});
