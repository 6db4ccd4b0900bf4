/** kubectl's connection flags as data; the command layer makes commander options, help and completion of them. */
import { NodeopsError } from '../../../protocol/errors.ts';

export interface KubeFlag {
  /** Long name without dashes, as kubectl spells it. */
  readonly flag: string;
  readonly short?: string;
  readonly type: 'text' | 'list' | 'boolean' | 'duration';
  /** What help calls the value. */
  readonly value?: string;
  readonly summary: string;
  /** Read and ignored, so that command lines and aliases made for kubectl keep working. */
  readonly ignored?: true;
}

export const kubeFlags = {
  kubeconfig: { flag: 'kubeconfig', type: 'text', value: 'FILE', summary: 'kubeconfig to use instead of KUBECONFIG' },
  context: { flag: 'context', type: 'text', value: 'NAME', summary: 'kubeconfig context to use' },
  cluster: { flag: 'cluster', type: 'text', value: 'NAME', summary: 'kubeconfig cluster to use' },
  user: { flag: 'user', type: 'text', value: 'NAME', summary: 'kubeconfig user to use' },
  namespace: { flag: 'namespace', short: 'n', type: 'text', value: 'NAME', summary: 'namespace of the pods' },
  server: { flag: 'server', short: 's', type: 'text', value: 'URL', summary: 'address of the API server' },
  token: { flag: 'token', type: 'text', value: 'TOKEN', summary: 'bearer token for the API server' },
  username: { flag: 'username', type: 'text', value: 'NAME', summary: 'user name for basic authentication' },
  password: { flag: 'password', type: 'text', value: 'TEXT', summary: 'password for basic authentication' },
  as: { flag: 'as', type: 'text', value: 'USER', summary: 'user to impersonate' },
  asGroup: { flag: 'as-group', type: 'list', value: 'GROUP', summary: 'group to impersonate, can be repeated' },
  asUid: { flag: 'as-uid', type: 'text', value: 'UID', summary: 'uid to impersonate' },
  asUserExtra: {
    flag: 'as-user-extra',
    type: 'list',
    value: 'KEY=VALUE',
    summary: 'extra of the user to impersonate, can be repeated',
  },
  certificateAuthority: {
    flag: 'certificate-authority',
    type: 'text',
    value: 'FILE',
    summary: "certificate authority of the API server's certificate",
  },
  clientCertificate: { flag: 'client-certificate', type: 'text', value: 'FILE', summary: 'client certificate' },
  clientKey: { flag: 'client-key', type: 'text', value: 'FILE', summary: 'key of the client certificate' },
  insecureSkipTlsVerify: {
    flag: 'insecure-skip-tls-verify',
    type: 'boolean',
    summary: "do not check the API server's certificate",
  },
  tlsServerName: {
    flag: 'tls-server-name',
    type: 'text',
    value: 'NAME',
    summary: "name expected in the API server's certificate",
  },
  proxyUrl: {
    flag: 'proxy-url',
    type: 'text',
    value: 'URL',
    summary: 'proxy to the API server, as kubectl 1.37 takes it',
  },
  requestTimeout: {
    flag: 'request-timeout',
    type: 'duration',
    value: 'DURATION',
    summary: 'how long one request to the API server may take, such as 5s; 0 for the default',
  },
  cacheDir: { flag: 'cache-dir', type: 'text', value: 'DIR', summary: 'not used', ignored: true },
  verbosity: { flag: 'v', short: 'v', type: 'text', value: 'LEVEL', summary: 'not used', ignored: true },
  vmodule: { flag: 'vmodule', type: 'text', value: 'LEVELS', summary: 'not used', ignored: true },
  logFlushFrequency: {
    flag: 'log-flush-frequency',
    type: 'duration',
    value: 'DURATION',
    summary: 'not used',
    ignored: true,
  },
  kuberc: {
    flag: 'kuberc',
    type: 'text',
    value: 'FILE',
    summary: "kubectl's preferences: which credential plugins may run",
  },
  disableCompression: { flag: 'disable-compression', type: 'boolean', summary: 'not used', ignored: true },
  matchServerVersion: { flag: 'match-server-version', type: 'boolean', summary: 'not used', ignored: true },
  warningsAsErrors: { flag: 'warnings-as-errors', type: 'boolean', summary: 'not used', ignored: true },
} as const satisfies Record<string, KubeFlag>;

type ValueOf<F extends KubeFlag> = F['type'] extends 'boolean'
  ? boolean
  : F['type'] extends 'list'
    ? readonly string[]
    : string;

/** What was given of kubectl's connection flags, as text; a flag that was not given is undefined. */
export type KubeOptions = { readonly [K in keyof typeof kubeFlags]?: ValueOf<(typeof kubeFlags)[K]> | undefined };

/** Those that say which server. */
export const serverFlags = [
  'kubeconfig',
  'context',
  'cluster',
  'server',
  'certificateAuthority',
  'insecureSkipTlsVerify',
  'tlsServerName',
  'proxyUrl',
] as const;
/** Those that say who we are and are no secrets. */
export const identityFlags = [
  'user',
  'clientCertificate',
  'clientKey',
  'as',
  'asUid',
  'asGroup',
  'asUserExtra',
] as const;

/** `kubectl` with those of the named flags that were given. */
export function kubectlCommand(names: readonly (keyof KubeOptions)[], options: KubeOptions): string {
  const given = names.flatMap((name) => {
    const value = options[name];
    const flag = `--${kubeFlags[name].flag}`;
    if (value === undefined || value === '') return [];
    if (typeof value === 'boolean') return value ? [flag] : [`${flag}=false`];
    return [value].flat().map((text) => `${flag}=${quote(text)}`);
  });
  return ['kubectl', ...given].join(' ');
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * Milliseconds of a Go duration (`1m30s`, `500ms`) or, as kubectl allows for --request-timeout, of a bare number of seconds.
 * Throws `usage` for anything else.
 */
export function parseGoDuration(text: string, flag: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  if (!/^(?:\d{1,12}(?:\.\d{0,9})?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text))
    throw new NodeopsError(
      'usage',
      `--${flag} is '${text.slice(0, 40)}'; it takes a duration such as 5s, 500ms or 1m30s`,
    );
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(amount) * unitMs[unit!]!;
  return total;
}
