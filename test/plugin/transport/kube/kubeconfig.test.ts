import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadConnection } from '../../../../src/plugin/transport/kube/config.ts';
import type { Connection } from '../../../../src/plugin/transport/kube/connection.ts';
import { type Kubeconfig, loadKubeconfig } from '../../../../src/plugin/transport/kube/kubeconfig.ts';
import { type KubeFlag, type KubeOptions, kubeFlags } from '../../../../src/plugin/transport/kube/options.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { kubectlPath } from '../../../binaries/kubectl.ts';

let dir: string;
let kubectl: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-kubeconfig-'));
  kubectl = await kubectlPath();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = promisify(execFile);
const view = async (env: Record<string, string>, ...args: string[]) =>
  JSON.parse((await run(kubectl, ['config', 'view', '--raw', '-o', 'json', ...args], { env, cwd: dir })).stdout);

/** kubectl's shape of a merged list, with the fields it adds for reading left out. */
function merged(config: Kubeconfig): object {
  const list = (entries: Kubeconfig['clusters'] | Kubeconfig['users'] | Kubeconfig['contexts'], key: string) =>
    entries.size === 0
      ? null
      : [...entries].map(([name, { entry }]) => ({ name, [key]: entry })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    clusters: list(config.clusters, 'cluster'),
    users: list(config.users, 'user'),
    contexts: list(config.contexts, 'context'),
    'current-context': config.currentContext,
  };
}

const pick = ({ clusters, users, contexts, 'current-context': current }: Record<string, unknown>) => ({
  clusters,
  users,
  contexts,
  'current-context': current,
});

/** A small generator with a seed, so that a failing list can be made again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function generated(next: (below: number) => number, file: number): object {
  const some = (count: number) => ['a', 'b', 'c', 'd'].filter(() => next(4) < count);
  return {
    apiVersion: 'v1',
    kind: 'Config',
    ...(next(2) === 0 && { 'current-context': ['a', 'b', 'nowhere', ''][next(4)] }),
    clusters: some(2).map((name) => ({
      name,
      cluster: { server: `https://${name}-${file}.test`, ...(next(2) === 0 && { 'insecure-skip-tls-verify': true }) },
    })),
    users: some(2).map((name) => ({
      name,
      user: next(2) === 0 ? { token: `${name}${file}` } : { username: name, password: `p${file}` },
    })),
    contexts: some(2).map((name) => ({
      name,
      context: { cluster: 'abcd'[next(4)], user: 'abcd'[next(4)], ...(next(2) === 0 && { namespace: `n${file}` }) },
    })),
  };
}

describe('a KUBECONFIG list', () => {
  it('is merged as kubectl merges it, for 40 generated lists', async () => {
    const next = random(20_261_122);
    for (let round = 0; round < 40; round++) {
      const files: string[] = [];
      for (let file = 0; file < 1 + next(4); file++) {
        const path = join(dir, `list-${round}-${file}`);
        const kind = next(6);
        if (kind === 0) await writeFile(path, '');
        else if (kind > 1) await writeFile(path, stringify(generated(next, file)));
        files.push(path);
        if (next(8) === 0) files.push('', path);
      }
      const KUBECONFIG = files.join(delimiter);
      expect(merged(await loadKubeconfig({ KUBECONFIG }, undefined)), KUBECONFIG).toEqual(
        pick(await view({ KUBECONFIG })),
      );
    }
  });

  it('finds certificates where kubectl does: relative to the file that names them', async () => {
    const data = (text: string) => Buffer.from(text).toString('base64');
    for (const place of ['one', 'two']) {
      await mkdir(join(dir, place), { recursive: true });
      for (const file of ['ca', 'cert', 'key']) await writeFile(join(dir, place, file), `${file} of ${place}`);
      const config = {
        'current-context': place,
        clusters: [{ name: place, cluster: { server: `https://${place}.test`, 'certificate-authority': 'ca' } }],
        users: [{ name: place, user: { 'client-certificate': './cert', 'client-key': `../${place}/key` } }],
        contexts: [{ name: place, context: { cluster: place, user: place } }],
      };
      await writeFile(join(dir, place, 'config'), stringify(config));
    }
    const env = { KUBECONFIG: ['one/config', 'two/config'].map((path) => join(dir, path)).join(delimiter) };
    const flat = await view(env, '--flatten');
    for (const place of ['one', 'two']) {
      const { cluster, user } = await loadConnection({ context: place }, env);
      expect(cluster['certificate-authority']).toBe(join(dir, place, 'ca'));
      expect(user).toEqual({ 'client-certificate': join(dir, place, 'cert'), 'client-key': join(dir, place, 'key') });
      const of = (list: { name: string }[]) => list.find(({ name }) => name === place);
      expect(of(flat.clusters)).toMatchObject({ cluster: { 'certificate-authority-data': data(`ca of ${place}`) } });
      expect(of(flat.users)).toMatchObject({
        user: { 'client-certificate-data': data(`cert of ${place}`), 'client-key-data': data(`key of ${place}`) },
      });
    }
  });

  it('of nothing falls back to ~/.kube/config, as in kubectl', async () => {
    await mkdir(join(dir, 'home/.kube'), { recursive: true });
    await writeFile(join(dir, 'home/.kube/config'), stringify(generated(random(7), 0)));
    const env = { HOME: join(dir, 'home') };
    expect(merged(await loadKubeconfig(env, undefined))).toEqual(pick(await view(env)));
  });
});

describe('what is wrong in a kubeconfig', () => {
  const failure = async (promise: Promise<unknown>): Promise<NodeopsError> => {
    const error = await promise.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NodeopsError);
    return error as NodeopsError;
  };
  const file = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return { KUBECONFIG: join(dir, name) };
  };
  const connection = (env: Record<string, string>, options: KubeOptions = {}) => failure(loadConnection(options, env));

  it('is named with file and line when it is not YAML', async () => {
    const { code, message } = await connection(await file('broken', 'clusters:\n- name: a\n  cluster: {server: [\n'));
    expect(code).toBe('kubeconfig');
    expect(message).toMatch(new RegExp(`${join(dir, 'broken')}, line [34] is not valid: `));
  });

  it.each([
    [
      'a name that is there twice',
      'clusters: [{name: a, cluster: {server: s}}, {name: a, cluster: {server: t}}]',
      /'a' twice/,
    ],
    ['another kind of object', 'kind: Pod\napiVersion: v1', /it is a Pod/],
    ['a text', 'hello', /not a mapping/],
    ['a list that is none', 'users: 3', /'users' is not a list/],
  ])('is named: %s', async (_, text, said) => {
    const { code, message } = await connection(await file('invalid', text));
    expect(code).toBe('kubeconfig');
    expect(message).toMatch(said);
    expect(message).toContain(join(dir, 'invalid'));
  });

  it('is an unknown context, cluster or user, with those there are', async () => {
    const env = await file(
      'known',
      stringify({
        'current-context': 'dev',
        clusters: [{ name: 'c1', cluster: { server: 'https://c1.test' } }],
        users: [{ name: 'u1', user: {} }],
        contexts: ['prod', 'dev'].map((name) => ({ name, context: { cluster: 'c1', user: 'u1' } })),
      }),
    );
    expect(await connection(env, { context: 'nope' })).toMatchObject({
      code: 'kubeconfig',
      hint: 'known contexts: dev, prod',
    });
    expect(await connection(env, { cluster: 'nope' })).toMatchObject({
      code: 'kubeconfig',
      hint: 'known clusters: c1',
    });
    expect(await connection(env, { user: 'nope' })).toMatchObject({ code: 'kubeconfig', hint: 'known users: u1' });
  });

  it('is that no context is chosen, or that there is none at all', async () => {
    const env = await file('unchosen', stringify({ contexts: [{ name: 'dev', context: { cluster: 'c' } }] }));
    expect((await connection(env)).hint).toContain('kubectl config use-context');
    const none = await connection({ KUBECONFIG: join(dir, 'missing'), HOME: join(dir, 'nobody') });
    expect(none).toMatchObject({ code: 'kubeconfig' });
    expect(none.message).toContain('no kubeconfig was found');
  });

  it('is a file given with --kubeconfig that is not there', async () => {
    const { message } = await connection({}, { kubeconfig: join(dir, 'missing') });
    expect(message).toContain(`${join(dir, 'missing')}: no such file`);
  });
});

describe('flags', () => {
  it('are all that kubectl has, with the same short names and values', async () => {
    const { stdout } = await run(kubectl, ['options']);
    // kubectl shows the default behind `=`: that of a list is [], of a boolean false
    const listed = [...stdout.matchAll(/^ {4}(?:-(\w), )?--([\w-]+)=(.*):$/gm)].map(([, short, flag, standard]) => ({
      flag,
      short,
      type: standard === 'false' ? 'boolean' : standard === '[]' ? 'list' : 'value',
    }));
    const ours = Object.values<KubeFlag>(kubeFlags).map(({ flag, short, type }) => ({
      flag,
      short,
      type: type === 'boolean' || type === 'list' ? type : 'value',
    }));
    const byName = (a: { flag?: string | undefined }, b: { flag?: string | undefined }) => (a.flag! < b.flag! ? -1 : 1);
    // what these profile is kubectl itself; with us --profile is how long a process is profiled for
    const wanted = listed.filter(({ flag }) => !flag?.startsWith('profile'));
    expect(wanted.length).toBeGreaterThan(25);
    // kubectl 1.37 takes it; the oracle here is older
    const newer = (flag: string | undefined) => flag === 'proxy-url' && !wanted.some((each) => each.flag === flag);
    expect(ours.filter(({ flag }) => !newer(flag)).sort(byName)).toEqual(wanted.sort(byName));
  });

  const load = async (options: KubeOptions): Promise<Connection> => {
    const path = join(dir, 'flags');
    await writeFile(
      path,
      stringify({
        'current-context': 'one',
        clusters: [{ name: 'c', cluster: { server: 'https://c.test/k8s/x', 'certificate-authority-data': 'YQ==' } }],
        users: [
          { name: 'u', user: { tokenFile: 'token', 'client-certificate-data': 'YQ==', 'client-key-data': 'YQ==' } },
        ],
        contexts: [{ name: 'one', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
      }),
    );
    return loadConnection(options, { KUBECONFIG: path });
  };

  it('none: what the context says', async () => {
    expect(await load({})).toMatchObject({
      namespace: 'shop',
      source: "context 'one'",
      kubectl: 'kubectl',
      requestTimeoutMs: undefined,
    });
    expect((await load({})).user.tokenFile).toBe(join(dir, 'token'));
  });

  it('win over the kubeconfig', async () => {
    const { server, namespace, cluster, user, kubectl, administrator, requestTimeoutMs } = await load({
      server: 'https://other.test:6443',
      namespace: 'web',
      token: 'secret',
      insecureSkipTlsVerify: true,
      tlsServerName: 'name.test',
      clientCertificate: '/c.pem',
      clientKey: '/k.pem',
      as: 'jane',
      asUid: '7',
      asGroup: ['a', 'b'],
      asUserExtra: ['reason=a=b', 'Team=x', 'reason=c'],
      requestTimeout: '1m30s',
    });
    expect(server.href).toBe('https://other.test:6443/');
    expect(namespace).toBe('web');
    expect(cluster).toEqual({
      server: 'https://other.test:6443',
      'insecure-skip-tls-verify': true,
      'tls-server-name': 'name.test',
    });
    expect(user).toEqual({
      token: 'secret',
      'client-certificate': '/c.pem',
      'client-key': '/k.pem',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['a', 'b'],
      'as-user-extra': { reason: ['a=b', 'c'], Team: ['x'] },
    });
    const there = 'kubectl --server=https://other.test:6443 --insecure-skip-tls-verify --tls-server-name=name.test';
    expect(kubectl).toBe(
      `${there} --client-certificate=/c.pem --client-key=/k.pem --as=jane --as-uid=7 --as-group=a --as-group=b --as-user-extra=reason=a=b --as-user-extra=Team=x --as-user-extra=reason=c`,
    );
    expect(administrator).toBe(there);
    expect(requestTimeoutMs).toBe(90_000);
  });

  it('--insecure-skip-tls-verify=false keeps the certificate authority of the kubeconfig', async () => {
    const { cluster } = await load({ insecureSkipTlsVerify: false });
    expect(cluster).toMatchObject({ 'certificate-authority-data': 'YQ==', 'insecure-skip-tls-verify': false });
  });

  it('of no sense are usage errors', async () => {
    await expect(load({ asGroup: ['a'] })).rejects.toMatchObject({ code: 'usage', hint: 'add --as USER' });
    await expect(load({ asUserExtra: ['a=b'] })).rejects.toMatchObject({ code: 'usage', hint: 'add --as USER' });
    await expect(load({ as: 'jane', asUserExtra: ['reason'] })).rejects.toMatchObject({
      code: 'usage',
      message: "--as-user-extra is 'reason'; it takes KEY=VALUE",
    });
    await expect(load({ requestTimeout: 'soon' })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('in a pod', () => {
  it('its service account is used when nothing else is configured', async () => {
    const account = join(dir, 'account');
    await mkdir(account, { recursive: true });
    await writeFile(join(account, 'token'), 't');
    await writeFile(join(account, 'namespace'), 'jobs\n');
    const env = { HOME: join(dir, 'nobody'), KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const connection = await loadConnection({}, env, account);
    expect(connection.server.href).toBe('https://[fd00::1]/');
    expect(connection).toMatchObject({
      namespace: 'jobs',
      source: "the pod's service account",
      user: { tokenFile: join(account, 'token') },
    });
    await expect(loadConnection({}, { HOME: env.HOME }, account)).rejects.toMatchObject({ code: 'kubeconfig' });
  });
});
