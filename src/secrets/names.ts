/** Names of variables, flags, headers and fields whose values are secrets: one list for every way out. */

/** Words of names: `DB_PASS`, `dbPass` and `--db-pass` are all of `db` and `pass`. Monkeys and compasses are not secrets. */
const secretWords = new Set(
  [
    'token tokens secret secrets cred creds otp totp mnemonic seed pass passcode pwd pw pin pat key keys psk auth',
    'authorization bearer jwt sid dsn salt signature sig session sessionid csrf xsrf webhook pem',
  ]
    .join(' ')
    .split(' '),
);
/** What makes a word one wherever it stands in it: `PGPASSWORD`, `apikey`. */
const secretPart =
  /passw|passphrase|secret|token|credential|cookie|(?:api|private|priv|access|account|ssh|encryption|signing|master|license)key|connectionstr|mnemonic/;
/** Names that look secret, and are of use to whoever reads a report. */
const harmlessName =
  /^(?:PWD|OLDPWD|SSH_AUTH_SOCK|XAUTHORITY|XDG_SESSION_\w+|DESKTOP_SESSION|SESSION_MANAGER|TERM_SESSION_ID)$|_(?:FILE|PATH|DIR|TTL|TIMEOUT|ENABLED)$/i;
/** AWS_REGION and the like tell where, everything else of AWS who. */
const harmlessAws = /^AWS_(?:DEFAULT_)?(?:REGION|OUTPUT|PAGER|SDK_LOAD_CONFIG|EXECUTION_ENV|LAMBDA_FUNCTION_\w+)$/i;
/** Words that texts use for much else, too: the key of a map, a token of a grammar. */
const ordinaryWord =
  /^(?:keys?|tokens?|session|signature|pass|pin|pat|salt|seed|auth|secrets?|creds?|credentials?|sig|pem|webhook|bearer)$/i;

/** Whether what is called so has a secret as its value. */
export function isSecretName(name: string): boolean {
  const bare = name.replace(/^-+/, '');
  if (harmlessName.test(bare)) return false;
  if (/^AWS_/i.test(bare)) return !harmlessAws.test(bare);
  const words = bare
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word)) || secretPart.test(words.join(''));
}

/** A secret name that prose does not use for other things. */
export function isSecretNameInProse(name: string): boolean {
  return !ordinaryWord.test(name) && isSecretName(name);
}
