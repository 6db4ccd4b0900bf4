import { isSecretName } from './names.ts';
import { maskCommandLine } from './process.ts';
import { masked, maskText } from './text.ts';

/** Shorter ones are not secrets, and hiding them would make words unreadable. */
const shortestGiven = 4;
/** The same for what was found by a name, and may be anything. */
const shortestFound = 8;
const ordinary =
  /^(?:true|false|null|undefined|enabled|disabled|localhost|production|development|\d{1,9}|[\d.]+(?:ms|s|m|h)?)$/i;

/** Secrets that are known by now: each is masked wherever it is repeated, beside all that looks like one. */
export class Secrets {
  readonly #known = new Set<string>();

  /** Values that are secrets for certain. */
  add(...values: readonly unknown[]): void {
    for (const value of values)
      if (typeof value === 'string' && value.trim().length >= shortestGiven) this.#known.add(value.trim());
  }

  /** Masks a text. */
  readonly text = (text: string): string => {
    let shown = text;
    // longest first, so that one inside another leaves no rest
    for (const secret of [...this.#known].sort((a, b) => b.length - a.length)) shown = shown.replaceAll(secret, masked);
    return maskText(shown);
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

  readonly #learn = (value: string): string => {
    const secret = value.trim();
    if (secret.length >= shortestFound && !ordinary.test(secret)) this.#known.add(secret);
    return masked;
  };

  #named(value: unknown, key: string): unknown {
    if (Array.isArray(value)) {
      if ((key === 'command' || key === 'args') && value.every((item) => typeof item === 'string'))
        return maskCommandLine(value, this.#learn);
      return value.map((item) => this.#named(item, ''));
    }
    if (typeof value !== 'object' || value === null) return value;
    const { name } = value as { name?: unknown };
    return Object.fromEntries(
      Object.entries(value)
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
