/** Keeps secrets out of artifacts: by the names of variables and flags, and by what values look like. */

export const masked = '<masked>';

/** Words of names: `DB_PASS`, `dbPass` and `--db-pass` are all of `db` and `pass`. Monkeys and compasses are no secrets. */
const secretWords = new Set(
  'token tokens secret secrets cred creds otp mnemonic pass pwd pin pat key keys auth authorization bearer jwt sid dsn salt signature session'.split(
    ' ',
  ),
);
/** What makes a word one wherever it stands in it: `PGPASSWORD`, `apikey`. */
const secretPart =
  /passw|passphrase|secret|token|credential|cookie|apikey|privatekey|accesskey|sshkey|encryptionkey|signingkey|masterkey|connectionstring/;
/** Names that look secret, and are of use to whoever reads a report. */
const harmlessName =
  /^(?:PWD|OLDPWD|SSH_AUTH_SOCK|XAUTHORITY|XDG_SESSION_\w+|DESKTOP_SESSION|SESSION_MANAGER|TERM_SESSION_ID)$/;
/** AWS_REGION and the like tell where, everything else of AWS who. */
const harmlessAws = /^AWS_(?:DEFAULT_)?(?:REGION|OUTPUT|PAGER|SDK_LOAD_CONFIG|EXECUTION_ENV|LAMBDA_FUNCTION_\w+)$/;

/** `scheme://user:password@host`, and `scheme://token@host`. A password typed as it is may hold an @ itself. */
const userinfo = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/@:?#]*)(?:(:[^\s/"']*)|)@/gi;
/**
 * `password=…` in queries and connection strings of other kinds. Nothing in these patterns may repeat what repeats itself: they
 * run while an app ends, on whatever its error says, and a name of forty parts (`a_b_c…`) kept it from ending.
 */
const assignment =
  /\b([\w.-]{0,64}(?:password|passwd|token|secret|api[-_]?key|access[-_]?key|account[-_]?key|signature|sessionid)|(?:[\w.-]{0,64}[-_.])?(?:pwd|pass|sig|auth))=([^\s&;,"']+)/gi;
/** `"clientSecret": "…"` in JSON, with the backslashes it has inside another text. */
const member =
  /((\\{0,8}["'])[\w.-]{0,64}(?:passw(?:or)?d|passphrase|\bpass|pwd|token|secret|api[-_]?key|access[-_]?key|private[-_]?key|credential|authorization|cookie)[\w.-]{0,64}\2\s{0,64}:\s{0,64})(\\{0,8}["'])(?:(?!\3).)*\3/gis;
/** `Authorization: …`, `password: …`: headers and YAML, to the end of the line. */
const header =
  /\b((?:[\w-]{0,64}(?:password|passwd|secret|api-?key)|(?:proxy-)?authorization|(?:set-)?cookie): *)([^\s"'{][^\r\n"']*)/gi;
/** Values that are secrets whatever they are called. */
const secretValue =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:gh[pousr]|github_pat|glpat|xox[abeoprs]|npm|sk|pk|rk|hf)[-_][\w-]{16,}|\bAIza[\w-]{35}|\bhooks\.slack\.com\/services\/[\w/]+|\b(?:Bearer|Basic) [\w.~+/=-]{8,}/g;

export function isSecretName(name: string): boolean {
  if (harmlessName.test(name)) return false;
  if (/^AWS_/i.test(name)) return !harmlessAws.test(name);
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word)) || secretPart.test(words.join(''));
}

/** Masks what looks like a secret inside a text, and leaves the rest. */
export function maskText(text: string): string {
  return text
    .replace(userinfo, (_, scheme: string, user: string, password: string | undefined) =>
      password === undefined ? `${scheme}${masked}@` : `${scheme}${user}:${masked}@`,
    )
    .replace(assignment, (_, name: string) => `${name}=${masked}`)
    .replace(member, (_, name: string, __, quote: string) => `${name}${quote}${masked}${quote}`)
    .replace(header, (_, name: string) => `${name}${masked}`)
    .replace(secretValue, masked);
}

export function maskEnvironment(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      // as a whole first: a key or a document is more than its words
      isSecretName(name) ? masked : maskCommandLine(maskText(value).split(' ')).join(' '),
    ]),
  );
}

/** `--token=X`, `--token X`, and what looks like a secret in any other argument. */
export function maskCommandLine(words: readonly string[]): string[] {
  let previousNamesSecret = false;
  return words.map((word) => {
    const [, flag, value] = /^(--?[\w.-]+|[A-Z][A-Z0-9_]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const isFlag = word.startsWith('-');
    const maskThis = previousNamesSecret && !isFlag && word !== '';
    previousNamesSecret = isFlag && flag !== undefined && value === undefined && isSecretName(flag);
    if (maskThis) return masked;
    if (flag !== undefined && value !== undefined && isSecretName(flag)) return `${flag}=${masked}`;
    return maskText(word);
  });
}
