/** Service accounts with chosen rights, and kubeconfigs that use them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  /** A service account that may do what the rules say in the bed's namespace; the path of its kubeconfig. */
  create(name: string, rules: readonly object[]): Promise<string>;
  close(): Promise<void>;
}

const rbac = 'rbac.authorization.k8s.io';

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
      return accounts.withToken(name, stdout.trim());
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
  return accounts;
}
