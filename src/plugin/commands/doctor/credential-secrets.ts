/** Keeps secrets out of what is printed, so that it can be pasted in a ticket. Checks print none; this is the net below them. */
import type { Credentials } from '../../transport/kube/credentials.ts';
import type { ExecEntry, Kubeconfig, UserEntry } from '../../transport/kube/kubeconfig.ts';
import type { KubeOptions } from '../../transport/kube/options.ts';

const hidden = '***';
/** Shorter ones are no secrets, and hiding them would make words unreadable. */
const shortest = 4;
/** What is named like this has a secret as its value. */
const tellsName = /pass(?:word|wd)?|secret|token|credential|private|api-?key|access-?key|assertion/i;

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [^-]+-----[\s\S]*?(?:-----END [^-]+-----|$)/g, hidden],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, hidden],
  [/\b(Bearer|Basic)\s+(?!token(?:[\s,;)]|$))[\w.~+/=-]{4,}/gi, `$1 ${hidden}`],
  [/:\/\/[^\s/@'"]+@/g, `://${hidden}@`],
  [/\b([\w-]*(?:password|passwd|secret|token|api-?key))=[^\s'",;]+/gi, `$1=${hidden}`],
];

/** Secrets that are known by now, and the text without them. */
export class Secrets {
  readonly #known = new Set<string>();

  /** Hides what looks like a secret, and every known one. */
  readonly mask = (text: string): string => {
    let masked = text;
    // longest first, so that one inside another leaves no rest
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length))
      masked = masked.replaceAll(secret, hidden);
    return shapes.reduce((shown, [shape, instead]) => shown.replaceAll(shape, instead), masked);
  };

  add(...values: readonly unknown[]): void {
    for (const value of values)
      if (typeof value === 'string' && value.trim().length >= shortest) this.#known.add(value.trim());
  }

  addOptions({ token, password, server }: KubeOptions): void {
    this.add(token, password, ...userinfo(server));
  }

  addKubeconfig({ clusters, users, contexts }: Kubeconfig): void {
    for (const { entry } of clusters.values())
      this.add(entry['certificate-authority-data'], ...userinfo(entry.server), ...userinfo(entry['proxy-url']));
    const names = new Set([...clusters.keys(), ...users.keys(), ...contexts.keys()]);
    for (const { entry } of users.values()) this.#addUser(entry, names);
  }

  /** What was sent in the end: tokens of files and of credential plugins. */
  addCredentials({ headers, tls }: Credentials): void {
    const [, sent] = /^\w+ (.*)$/.exec(String(headers.Authorization ?? '')) ?? [];
    this.add(sent, tls.key?.toString(), tls.cert?.toString());
  }

  #addUser(user: UserEntry, names: ReadonlySet<string>): void {
    this.add(user.token, user.password, user['client-certificate-data'], user['client-key-data']);
    this.add(...Object.values(user['auth-provider']?.config ?? {}).filter((value) => !names.has(String(value))));
    if (user.exec) this.add(...pluginSecrets(user.exec).filter((value) => !names.has(value)));
  }
}

/** Values of a credential plugin's variables, and of its flags that are named like a secret. */
function pluginSecrets({ env, args }: ExecEntry): string[] {
  const flags = (args ?? []).flatMap((arg, index) => {
    const [name = '', value] = arg.split(/=(.*)/s);
    if (!name.startsWith('-') || !tellsName.test(name)) return [];
    return [value ?? args?.[index + 1] ?? ''];
  });
  return [...(env ?? []).map(({ value }) => value), ...flags];
}

function userinfo(url: string | undefined): string[] {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed ? [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password), parsed.password] : [];
}
