/** Service accounts with chosen rights, and kubeconfigs that use them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Bed } from './bed.ts';

export interface Kubeconfig {
  clusters: { name: string; cluster: Record<string, unknown> }[];
  contexts: { name: string; context: { cluster: string; user: string } }[];
  users: { name: string; user: Record<string, unknown> }[];
  'current-context': string;
}

export interface Accounts {
  /** The bed's kubeconfig, changed; a path. */
  kubeconfigWith(name: string, change: (config: Kubeconfig) => void): Promise<string>;
  withToken(name: string, token: string): Promise<string>;
  /** A service account that may do what the rules say in the bed's namespace, from now on; the path of its kubeconfig. */
  create(name: string, rules: readonly Rule[]): Promise<string>;
  /** Waits until it may, by the words of `kubectl auth can-i`: an API server follows changes of RBAC a little later. */
  until(kubeconfig: string, ...canI: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export interface Rule {
  readonly apiGroups: readonly [string];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const rbac = 'rbac.authorization.k8s.io';

function resourceOf({ apiGroups: [group], resources }: Rule): string[] {
  const [resource, subresource] = resources[0]!.split('/');
  return [group ? `${resource}.${group}` : resource!, ...(subresource ? [`--subresource=${subresource}`] : [])];
}

export async function openAccounts(bed: Bed): Promise<Accounts> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-accounts-'));
  const accounts: Accounts = {
    async kubeconfigWith(name, change) {
      const { stdout } = await bed.kubectl(['config', 'view', '--raw', '--minify', '--flatten']);
      const config = parse(stdout) as Kubeconfig;
      change(config);
      const path = join(directory, name);
      await writeFile(path, stringify(config));
      return path;
    },
    withToken: (name, token) =>
      accounts.kubeconfigWith(name, (config) => {
        config.users[0]!.user = { token };
      }),
    async create(name, rules) {
      const metadata = { name };
      const subject = { kind: 'ServiceAccount', name, namespace: bed.namespace };
      const roleRef = { apiGroup: rbac, kind: 'Role', name };
      await bed.create(
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
        { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules },
        { apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata, roleRef, subjects: [subject] },
      );
      const { stdout } = await bed.kubectl(['create', 'token', name]);
      const kubeconfig = await accounts.withToken(name, stdout.trim());
      const [first] = rules;
      // one rule is known as soon as all of them are
      if (first) await accounts.until(kubeconfig, first.verbs[0]!, ...resourceOf(first));
      return kubeconfig;
    },
    until: (kubeconfig, ...canI) =>
      vi.waitFor(
        async () => expect((await bed.kubectl(['auth', 'can-i', ...canI], { kubeconfig })).stdout).toBe('yes\n'),
        { timeout: 30_000, interval: 100 },
      ),
    close: () => rm(directory, { recursive: true, force: true }),
  };
  return accounts;
}
