/** Everything that leaves a process or the cluster for other eyes, with the same secrets put in. */
import { describe, expect, it } from 'vitest';
import { describeError } from '../../src/agent/crash/record.ts';
import { maskReport } from '../../src/inspect/captures/report.ts';
import { CredentialSecrets } from '../../src/plugin/commands/doctor/credential-secrets.ts';
import { isSecretName } from '../../src/secrets/names.ts';
import { Secrets } from '../../src/secrets/secrets.ts';
import { maskText } from '../../src/secrets/text.ts';

/** Values that give themselves away by nothing. */
const value = 'tr0ub4dor-and-3';
const names = [
  ...['DB_CREDS', 'OTP_SEED', 'MNEMONIC', 'API_KEY', 'apiKey', 'DB_PASS', 'PGPASSWORD', 'MYSQL_PWD', 'GITHUB_TOKEN'],
  ...['SESSION_SECRET', 'COOKIE_SECRET', 'AWS_SECRET_ACCESS_KEY', 'REDIS_AUTH', 'JWT_SECRET', 'clientSecret'],
  ...['STRIPE_KEY', 'ENCRYPTION_KEY', 'CSRF_TOKEN', 'LICENSE_KEY', 'db.password', 'SLACK_WEBHOOK', 'WALLET_SEED'],
];
/** What a text with such a name and value looks like. */
const written: Record<string, (name: string) => string> = {
  'a shell': (name) => `export ${name}=${value}; exec node app.js`,
  'a query': (name) => `GET /x?a=1&${name}=${value}&b=2 200`,
  JSON: (name) => `{"a":1,"${name}":"${value}","b":2}`,
  'JSON in JSON': (name) => JSON.stringify({ body: `{"${name}":"${value}"}` }),
  'JSON that is cut off': (name) => `{"${name}":"${value}`,
  'JSON with a quote in the value': (name) => JSON.stringify({ [name]: `a"${value}` }),
  'an object as Node prints it': (name) => `Config { port: 1, ${name}: '${value}' }`,
  YAML: (name) => `a: 1\n${name}: ${value}\nb: 2`,
  'a flag': (name) => `node app.js --${name.replaceAll('_', '-').toLowerCase()} ${value} --port 80`,
  'a flag with =': (name) => `node app.js --${name.replaceAll('_', '-').toLowerCase()}=${value}`,
  'a value in quotes': (name) => `${name}="a b ${value}" next=1`,
  'an address in an assignment': (name) => `url=https://h/x?${name}=${value}`,
};
/** Texts whose secret shows by what it looks like, or by the word before it. */
const shapes: readonly (readonly [text: string, secret: string])[] = [
  [`postgres://app:p@ss${value}@db:5432/x`, value],
  [`postgres://app:${value}@db:5432/x`, value],
  ['redis://:hunter22@cache', 'hunter22'],
  ['https://ghtoken99@github.com/x.git', 'ghtoken99'],
  [`Cookie: sid=${value}; theme=dark`, value],
  [`request failed: Set-Cookie: connect.sid=${value}; Path=/`, value],
  [`sid=${value}`, value],
  ['AIzaSyA1234567890abcdefghijklmnopqrstuv', 'AIzaSyA'],
  ['Authorization: Bearer abcdefghijk', 'abcdefghijk'],
  ['error: Authorization: Basic amFuZTpwYXNz', 'amFuZTpwYXNz'],
  ['sent Bearer opaque-token-9 to it', 'opaque-token-9'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', 'eyJhbGciOiJIUzI1NiJ9'],
  ['key AKIAABCDEFGHIJKLMNOP.', 'AKIAABCDEFGHIJKLMNOP'],
  ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----', 'MHcCAQEE'],
  ['-----BEGIN PRIVATE KEY-----\nMHcCAQEE', 'MHcCAQEE'],
  ['ghp_abcdefghijklmnopqrstuvwxyz012345', 'ghp_abcdef'],
  ['sk_live_abcdefghijklmnop', 'sk_live_abcdef'],
  ['https://hooks.slack.com/services/T000/B000/XXXX', 'T000/B000/XXXX'],
  ['{"otp":123456}', '123456'],
];

/** Every way in which a text is passed on; each returns all that is passed on with it. */
const texts: Record<string, (text: string) => string> = {
  'a report of Node': (text) => JSON.stringify(maskReport({ javascriptStack: { message: text } } as object)),
  'a crash record': (text) => {
    const error = Object.assign(new Error(text), { code: text });
    return JSON.stringify(describeError(error));
  },
  'a log in a bundle': (text) => new Secrets().text(text),
  'a reply in a bundle': (text) => JSON.stringify(new Secrets().value({ data: [{ message: text }] })),
  'an annotation in a bundle': (text) =>
    JSON.stringify(new Secrets().object({ metadata: { annotations: { note: text } } })),
  'what doctor says': (text) => new CredentialSecrets().text(text),
  'a text of why': (text) => maskText(text),
};
/** Every way in which variables are passed on. */
const environments: Record<string, (name: string) => string> = {
  'a report of Node': (name) => JSON.stringify(maskReport({ environmentVariables: { [name]: value } })),
  'a pod in a bundle': (name) =>
    JSON.stringify(
      new Secrets().object({ spec: { containers: [{ env: [{ name, value }], args: [`${name}=${value}`] }] } }),
    ),
  'what a bundle says after the pod was seen': (name) => {
    const secrets = new Secrets();
    secrets.object({ env: [{ name, value }] });
    return secrets.text(`login failed with ${value}`);
  },
};

describe.each(Object.entries(texts))('%s has no secret', (_, pass) => {
  it.each(Object.entries(written))('of %s', (_form, write) => {
    const told = names.filter((name) => pass(write(name)).includes(value));
    expect(told).toEqual([]);
  });
  it.each(shapes)('in %j', (text, secret) => expect(pass(text)).not.toContain(secret));
});
describe.each(Object.entries(environments))('%s has no variable', (_, pass) => {
  it.each(names)('%s', (name) => expect(pass(name)).not.toContain(value));
});

describe('what helps is kept', () => {
  it.each([
    'SyntaxError: Unexpected token: punc',
    'listening on http://localhost:3000/a@b',
    'at run (file:///app/index.js:1:2)',
    'no secrets here: tokens 5',
    'duplicate entry for key=users_pkey, key: users_pkey',
    'a bearer token is missing, and Basic authentication is off',
    'compass=1 monkey=2 author: jane',
    'TLS_KEY_FILE=/etc/tls/key.pem TOKEN_TTL=3600',
    '--token is not given: --inspect 9229 --port 80',
    'GET /items?page=2&sort=name 200 12ms',
    '2026-11-30T20:00:00Z info {"msg":"started","port":3000}',
  ])('%s', (text) => expect(maskText(text)).toBe(text));
  it.each(['MONKEY', 'COMPASS', 'PWD', 'PATH', 'TLS_KEY_FILE', 'AWS_REGION', 'TOKEN_TTL', 'KEYBOARD', 'AUTHOR'])(
    'the name %s',
    (name) => expect(isSecretName(name)).toBe(false),
  );
});

/** What kept a masker busy for 36 s once was 384 KB. Where a pattern were quadratic, this would not end within the test's life. */
describe('masking ends soon, whatever the text', () => {
  const pieces = [
    'a',
    '_',
    'a_',
    'a.',
    'a-',
    'a=',
    'a:',
    '://',
    'a://:',
    'x://y',
    'x://y:',
    '"',
    "'",
    '\\',
    '\\"',
    '--token',
    '-',
  ];
  const more = [
    'token ',
    'token=',
    'token: ',
    'token="',
    'password: "',
    '"password":"',
    '\\"token\\":\\"',
    'eyJ',
    '-----BEGIN A-----',
    '.-a',
    'eyJaaaaaaaa-',
    '--a ',
  ];
  it.each([...pieces, ...more])('%j', { timeout: 20_000 }, (piece) => {
    const text = piece.repeat(Math.ceil(300_000 / piece.length));
    expect(new Secrets().text(text).length).toBeGreaterThan(0);
    expect(new Secrets().text(`${text}\n`).length).toBeGreaterThan(0);
  });
});
