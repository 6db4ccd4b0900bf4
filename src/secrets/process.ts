/** What a process was started with, without its secrets. */
import { isSecretName } from './names.ts';
import { masked, maskText } from './text.ts';

export function maskEnvironment(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      // as a whole first: a key or a document is more than its words
      isSecretName(name) && value !== '' ? masked : maskCommandLine(maskText(value).split(' ')).join(' '),
    ]),
  );
}

/** `--token=X`, `--token X`, and what looks like a secret in any other argument. */
export function maskCommandLine(words: readonly string[], found: (secret: string) => void = () => {}): string[] {
  let follows = false;
  return words.map((word) => {
    const [, name, value] = /^(--?[\w.-]+|[A-Za-z_]\w*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const isFlag = word.startsWith('-');
    const hide = follows && !isFlag && word !== '';
    follows = isFlag && name !== undefined && value === undefined && isSecretName(name);
    if (hide) found(word);
    if (hide) return masked;
    if (!name || !value || !isSecretName(name)) return maskText(word);
    found(value);
    return `${name}=${masked}`;
  });
}
