/** Whether a kubeconfig may have a program run: what the real kubectl does is the oracle. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { KubeApi } from '../../../../src/plugin/transport/kube/api.ts';
import { loadConnection } from '../../../../src/plugin/transport/kube/config.ts';
import { kubectlPath } from '../../../binaries/kubectl.ts';

let dir: string;
let kubectl: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'nodeops-policy-'));
  kubectl = await kubectlPath();
  for (const place of ['bin', 'other', 'home/.kube', 'given', 'here']) {
    mkdirSync(join(dir, place), { recursive: true });
    if (place === 'home/.kube') continue;
    const path = join(dir, place, place === 'here' ? 'only-here' : 'plug');
    const credential = { apiVersion: v1, kind: 'ExecCredential', status: { token: 't' } };
    writeFileSync(path, `#!/bin/sh\necho ${place} > ${join(dir, 'ran')}\necho '${JSON.stringify(credential)}'\n`);
    chmodSync(path, 0o755);
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const v1 = 'client.authentication.k8s.io/v1';
const beta = 'kubectl.config.k8s.io/v1beta1';
const plain = { command: 'plug', apiVersion: v1, interactiveMode: 'Never' };
interface Case {
  readonly user?: object;
  readonly kuberc?: object | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the plugin lies that is run; undefined for none. */
  readonly runs?: string;
}
const at = (place: string) => join(dir, place, 'plug');
const cases: Readonly<Record<string, () => Case>> = {
  'a plugin on the PATH': () => ({ runs: 'bin' }),
  'a plugin by its path': () => ({ user: { exec: { ...plain, command: at('other') } }, runs: 'other' }),
  'a PATH that the kubeconfig gives': () => ({
    user: { exec: { ...plain, env: [{ name: 'PATH', value: join(dir, 'given') }] } },
    runs: 'bin',
  }),
  'a plugin in the working directory, which the PATH names': () => ({
    user: { exec: { ...plain, command: 'only-here' } },
  }),
  'an old version of the interface': () => ({
    user: { exec: { ...plain, apiVersion: 'client.authentication.k8s.io/v1alpha1' } },
  }),
  'no version of the interface': () => ({ user: { exec: { command: 'plug', interactiveMode: 'Never' } } }),
  'no interactive mode': () => ({ user: { exec: { command: 'plug', apiVersion: v1 } } }),
  'an unknown interactive mode': () => ({ user: { exec: { ...plain, interactiveMode: 'Sometimes' } } }),
  'a terminal that is not there': () => ({ user: { exec: { ...plain, interactiveMode: 'Always' } } }),
  'a variable without a name': () => ({ user: { exec: { ...plain, env: [{ name: '', value: 'x' }] } } }),
  'a plugin and an auth provider': () => ({ user: { exec: plain, 'auth-provider': { name: 'oidc' } } }),
  'a token beside the plugin': () => ({ user: { exec: plain, token: 't' } }),
  'the auth provider gcp with a command': () => ({
    user: { 'auth-provider': { name: 'gcp', config: { 'cmd-path': at('bin') } } },
  }),
  'an unknown auth provider': () => ({ user: { 'auth-provider': { name: 'x', config: { 'cmd-path': at('bin') } } } }),
  'a policy that denies all': () => ({ kuberc: { credentialPluginPolicy: 'DenyAll' } }),
  'a policy that allows all': () => ({ kuberc: { credentialPluginPolicy: 'AllowAll' }, runs: 'bin' }),
  'no policy': () => ({ kuberc: {}, runs: 'bin' }),
  'a list with its name': () => ({ kuberc: listed('plug'), runs: 'bin' }),
  'a list with its path': () => ({ kuberc: listed(at('bin')), runs: 'bin' }),
  'a list with another of its name': () => ({
    user: { exec: { ...plain, command: at('other') } },
    kuberc: listed('plug'),
  }),
  'a list with another path': () => ({ kuberc: listed(at('other')) }),
  'a list with a path that is not straight': () => ({ kuberc: listed(`${join(dir, 'bin')}/../bin/plug`) }),
  'a list of nothing': () => ({ kuberc: { credentialPluginPolicy: 'Allowlist', credentialPluginAllowlist: [] } }),
  'a list without its policy': () => ({ kuberc: { credentialPluginAllowlist: [{ name: 'plug' }] } }),
  'an unknown policy': () => ({ kuberc: { credentialPluginPolicy: 'Nope' } }),
  'preferences that are not YAML': () => ({ kuberc: 'x: [', runs: 'bin' }),
  'preferences by name that are not YAML': () => ({
    kuberc: 'x: [',
    env: { KUBERC: join(dir, 'home/.kube/kuberc') },
  }),
  'preferences of the first version': () => ({
    kuberc: { apiVersion: 'kubectl.config.k8s.io/v1alpha1', credentialPluginPolicy: 'DenyAll' },
    runs: 'bin',
  }),
  'preferences that are turned off': () => ({
    kuberc: { credentialPluginPolicy: 'DenyAll' },
    env: { KUBERC: 'off' },
    runs: 'bin',
  }),
  'preferences that are turned off altogether': () => ({
    kuberc: { credentialPluginPolicy: 'DenyAll' },
    env: { KUBECTL_KUBERC: 'False' },
    runs: 'bin',
  }),
  'preferences that are not there': () => ({ env: { KUBERC: '/nowhere/kuberc' } }),
};
function listed(name: string): object {
  return { credentialPluginPolicy: 'Allowlist', credentialPluginAllowlist: [{ name }] };
}

describe('a program named by a kubeconfig', () => {
  it.each(Object.keys(cases))('%s: is run where kubectl runs it', async (name) => {
    const { user = { exec: plain }, kuberc, env: more = {}, runs } = cases[name]!();
    const preferences = join(dir, 'home/.kube/kuberc');
    rmSync(preferences, { force: true });
    if (kuberc)
      writeFileSync(
        preferences,
        typeof kuberc === 'string' ? kuberc : stringify({ apiVersion: beta, kind: 'Preference', ...kuberc }),
      );
    const path = join(dir, 'config');
    writeFileSync(
      path,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        // nobody listens there
        clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'x', user }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      }),
    );
    const env = {
      ...{ KUBECONFIG: path, HOME: join(dir, 'home'), PATH: `.:${join(dir, 'bin')}:${process.env.PATH}` },
      ...more,
    };
    const ran = async (run: () => Promise<unknown>): Promise<string | undefined> => {
      rmSync(join(dir, 'ran'), { force: true });
      await run();
      return existsSync(join(dir, 'ran')) ? readFileSync(join(dir, 'ran'), 'utf8').trim() : undefined;
    };
    const here = process.cwd();
    const byKubectl = await ran(
      () => new Promise((done) => execFile(kubectl, ['get', 'pods'], { env, cwd: join(dir, 'here') }, done)),
    );
    process.chdir(join(dir, 'here'));
    const byUs = await ran(async () => {
      const api = new KubeApi(await loadConnection({}, env), {});
      await api.get('/version').catch(() => {});
      await api.close();
    }).finally(() => process.chdir(here));
    expect({ byKubectl, byUs }).toEqual({ byKubectl: runs, byUs: runs });
  });

  it('is judged by the kuberc of --kuberc', async () => {
    const file = join(dir, 'strict');
    writeFileSync(file, stringify({ apiVersion: beta, kind: 'Preference', credentialPluginPolicy: 'DenyAll' }));
    writeFileSync(
      join(dir, 'config'),
      stringify({
        'current-context': 'x',
        clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'x', user: { exec: plain } }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      }),
    );
    const env = { KUBECONFIG: join(dir, 'config'), HOME: join(dir, 'home'), PATH: join(dir, 'bin') };
    const api = new KubeApi(await loadConnection({ kuberc: file }, env), {});
    await expect(api.get('/version')).rejects.toMatchObject({
      code: 'unauthenticated',
      message: `the credential plugin 'plug' of the kubeconfig is not run: ${file} allows none`,
      hint: `see credentialPluginPolicy in ${file}`,
    });
    await api.close();
  });
});
