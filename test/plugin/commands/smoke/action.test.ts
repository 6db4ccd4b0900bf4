import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { smokeFlags } from '../../../../src/plugin/commands/smoke/flags.ts';
import { kubeFlags } from '../../../../src/plugin/transport/kube/options.ts';

interface Action {
  inputs: Record<string, { description: string; default: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: { id: string; shell: string; env: Record<string, string>; run: string }[] };
}

let action: Action;
let directory: string;
beforeAll(async () => {
  action = parse(await readFile('action.yml', 'utf8'));
  directory = await mkdtemp(join(tmpdir(), 'nodeops-action-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const smokeStep = () => action.runs.steps.find(({ id }) => id === 'smoke')!;

/** Runs the step's script as the runner does, with a stand-in that prints its arguments and ends as told. */
async function runStep(
  inputs: Record<string, string>,
  exitCode = 0,
): Promise<{ code: number | null; args: string[]; output: string; stdout: string }> {
  const executable = join(directory, 'stand-in');
  const [printed, outputFile] = [join(directory, 'args'), join(directory, 'output')];
  await writeFile(executable, `#!/bin/sh\nprintf '%s\\n' "$@" > '${printed}'\nexit ${exitCode}\n`, { mode: 0o755 });
  await Promise.all([writeFile(printed, ''), writeFile(outputFile, '')]);
  const step = smokeStep();
  const value = (expression: string) => {
    const name = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(expression)![1]!;
    return inputs[name] ?? (name === 'executable' ? executable : action.inputs[name]!.default);
  };
  const env = Object.fromEntries(Object.entries(step.env).map(([name, expression]) => [name, value(expression)]));
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', step.run], {
    env: { PATH: process.env.PATH, GITHUB_OUTPUT: outputFile, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const args = (await readFile(printed, 'utf8')).split('\n').slice(0, -1);
  return { code, args, output: await readFile(outputFile, 'utf8'), stdout };
}

describe('action.yml', () => {
  it('is a composite action whose inputs are flags of smoke or of the connection', () => {
    expect(action.runs.using).toBe('composite');
    const flags = new Set([...Object.keys(smokeFlags), ...Object.values(kubeFlags).map(({ flag }) => flag)]);
    const others = Object.keys(action.inputs).filter((name) => !flags.has(name));
    expect(others).toEqual(['targets', 'executable']);
    expect(Object.keys(action.outputs)).toEqual(['exit-code']);
    expect(action.outputs['exit-code']!.value).toContain(`steps.${smokeStep().id}.outputs.exit-code`);
  });

  it('hands over every input by a variable, none inside the script', () => {
    const step = smokeStep();
    expect(step.run).not.toContain('${{');
    const named = Object.values(step.env).map((expression) => /inputs\.([\w-]+)/.exec(expression)![1]);
    expect(named.sort()).toEqual(Object.keys(action.inputs).sort());
  });

  it('passes each input on as its flag, and nothing for those left out', async () => {
    expect(await runStep({})).toMatchObject({ code: 0, args: ['smoke', '--'], output: 'exit-code=0\n' });
    for (const name of Object.keys(action.inputs).filter(
      (each) => !['targets', 'executable', 'no-defaults'].includes(each),
    ))
      expect((await runStep({ [name]: 'a b' })).args).toEqual(['smoke', `--${name}=a b`, '--']);
    expect((await runStep({ 'no-defaults': 'true' })).args).toEqual(['smoke', '--no-defaults', '--']);
    for (const targets of ['deploy/a pod/b', 'deploy/a\npod/b\n', '\n  deploy/a\n\n  pod/b'])
      expect((await runStep({ targets })).args).toEqual(['smoke', '--', 'deploy/a', 'pod/b']);
  });

  it('runs nothing that stands in an input, and ends as smoke does', async () => {
    const hostile = `$(touch ${join(directory, 'pwned')}) \`id\` "; exit 0; '`;
    const { code, args, output } = await runStep({ selector: hostile, targets: '$(id) *' }, 2);
    expect(args).toEqual(['smoke', `--selector=${hostile}`, '--', '$(id)', '*']);
    expect({ code, output }).toEqual({ code: 2, output: 'exit-code=2\n' });
    await expect(readFile(join(directory, 'pwned'))).rejects.toThrow();
  });

  it('says so when the plugin is not installed', async () => {
    const { code, stdout, output } = await runStep({ executable: 'no-such-plugin\n::error::no' });
    expect({ code, output }).toEqual({ code: 2, output: 'exit-code=2\n' });
    expect(stdout).toMatch(/^::error .*no-such-plugin ::error::no is not on the PATH.*\n$/);
  });
});
