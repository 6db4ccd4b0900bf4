/** Keeps secrets out of bundles, which are sent to others: by names, by shape, and every value found that way wherever it is repeated. */

export const masked = '<masked>';

/** Shorter values, and words like these, are no secrets; replacing them everywhere would make texts unreadable. */
const shortest = 8;
const ordinary =
  /^(?:true|false|null|undefined|enabled|disabled|localhost|production|development|\d{1,9}|[\d.]+(?:ms|s|m|h)?)$/i;

/** Parts of names; `key` and `pass` only as words of their own: monkey and compass are no secrets. */
const secretName =
  /token|secret|passw|passphrase|credential|cookie|authoriz|bearer|jwt|signature|api[-_.]?key|private[-_.]?key|access[-_.]?key|connection[-_.]?str|(?:^|[-_.])(?:pass|pwd|key|keys|auth|sid|dsn|pin|pat|salt|session)(?:$|[-_.])/i;
/** Names that look secret and are of use to whoever reads a bundle. */
const harmlessName =
  /^(?:PWD|OLDPWD|SSH_AUTH_SOCK|AWS_(?:DEFAULT_)?REGION)$|_(?:FILE|PATH|DIR|TTL|TIMEOUT|ENABLED|URL_PATH)$/i;

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, masked],
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, masked],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, masked],
  [/\b(?:gh[pousr]|github_pat|glpat|xox[abeoprs]|npm|sk|pk|rk|hf)[-_][\w-]{16,}/g, masked],
  [/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, `$1 ${masked}`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)([^\s/@:?#"']*):[^\s/@"']+@/gi, `$1$2:${masked}@`],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@:?#"'<]{8,}@/gi, `$1${masked}@`],
  [
    /((?:^|[\s"'&?;,{(])-{0,2}[\w.-]{0,60}?(?:password|passwd|pwd|token|secret|api[-_]?key|access[-_]?key|account[-_]?key|signature|sessionid)\\?["']? ?[=:] ?\\?["']?)(?!(?:true|false|null)\b|[{[])[^\s&;,"'})]+/gi,
    `$1${masked}`,
  ],
  [/(--?[\w.-]{0,60}?(?:password|passwd|token|secret|api-?key|access-?key) +)(?!-)[^\s;,"']+/gi, `$1${masked}`],
];

export function isSecretName(name: string): boolean {
  return !harmlessName.test(name) && secretName.test(name.replaceAll(/([a-z])(?=[A-Z])/g, '$1_'));
}

export class Mask {
  readonly #known = new Set<string>();

  /** Masks a text: known values, and what looks like a secret. */
  readonly text = (text: string): string => {
    let shown = text;
    // longest first, so that one inside another leaves no rest
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length)) shown = shown.replaceAll(secret, masked);
    return shapes.reduce((rest, [shape, instead]) => rest.replaceAll(shape, instead), shown);
  };

  /** A copy of what JSON can hold, with every text in it masked. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item)]));
  }

  /** A Kubernetes object fit to be read by others: without values of secret variables, headers, flags and annotations. */
  object(object: unknown): unknown {
    // what is learnt in one place is hidden in all others
    const once = this.#named(object, '');
    return this.value(once);
  }

  #learn(value: string): string {
    const secret = value.trim();
    if (secret.length >= shortest && !ordinary.test(secret)) this.#known.add(secret);
    return masked;
  }

  #named(value: unknown, key: string): unknown {
    if (Array.isArray(value)) {
      if ((key === 'command' || key === 'args') && value.every((item) => typeof item === 'string'))
        return this.#words(value);
      return value.map((item) => this.#named(item, ''));
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const { name } = value as { name?: unknown };
    return Object.fromEntries(
      entries
        // who set which field says nothing about the process, and is most of the text
        .filter(([inner]) => inner !== 'managedFields')
        .map(([inner, item]) => {
          if (key === 'annotations' && typeof item === 'string') return [inner, this.#annotation(inner, item)];
          const secret =
            inner === 'value' && typeof name === 'string' && typeof item === 'string' && isSecretName(name);
          return [inner, secret && item !== '' ? this.#learn(item as string) : this.#named(item, inner)];
        }),
    );
  }

  /** `--token=X` and `--token X` */
  #words(words: readonly string[]): string[] {
    let follows = false;
    return words.map((word) => {
      const [, flag, value] = /^(--?[\w.-]+|[A-Za-z_]\w*)(?:=([\s\S]*))?$/.exec(word) ?? [];
      const hide = follows && !word.startsWith('-') && word !== '';
      follows =
        word.startsWith('-') && flag !== undefined && value === undefined && isSecretName(flag.replace(/^-+/, ''));
      if (hide) return this.#learn(word);
      if (flag && value && isSecretName(flag.replace(/^-+/, ''))) return `${flag}=${this.#learn(value)}`;
      return word;
    });
  }

  /** Some repeat the whole object as JSON, its secrets included. */
  #annotation(name: string, text: string): string {
    if (isSecretName(name)) return this.#learn(text);
    if (!/^\s*[[{]/.test(text)) return text;
    try {
      return JSON.stringify(this.#named(JSON.parse(text), ''));
    } catch {
      return text;
    }
  }
}
