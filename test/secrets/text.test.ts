import { describe, expect, it } from 'vitest';
import { maskReport } from '../../src/inspect/captures/report.ts';
import { isSecretName } from '../../src/secrets/names.ts';
import { maskCommandLine, maskEnvironment } from '../../src/secrets/process.ts';
import { maskText } from '../../src/secrets/text.ts';

describe('names', () => {
  const secret = [
    ...[
      'API_KEY',
      'apiKey',
      'DB_PASS',
      'PGPASSWORD',
      'MYSQL_PWD',
      'GITHUB_TOKEN',
      'SENTRY_DSN',
      'SESSION_SECRET',
      'COOKIE',
    ],
    ...[
      'AWS_ACCESS_KEY_ID',
      'AWS_SESSION_TOKEN',
      'AWS_ANYTHING',
      'REDIS_AUTH',
      'GOOGLE_APPLICATION_CREDENTIALS',
      'JWT',
    ],
    ...[
      '--token',
      '--db-password',
      '--api-key',
      'AZURE_STORAGE_CONNECTION_STRING',
      'NPM_CONFIG__AUTH',
      'SSH_PRIVATE_KEY',
    ],
  ];
  it.each(secret)('%s is a secret', (name) => expect(isSecretName(name)).toBe(true));
  const harmless = [
    ...[
      'PATH',
      'PWD',
      'HOME',
      'NODE_ENV',
      'KUBERNETES_SERVICE_HOST',
      'AWS_REGION',
      'KEYBOARD',
      'MONKEY',
      'AUTHOR',
      'COMPASS_URL',
    ],
    ...['--port', '--inspect', '--keyboard', 'HOSTNAME', 'npm_package_name'],
  ];
  it.each(harmless)('%s is none', (name) => expect(isSecretName(name)).toBe(false));
});

describe('texts', () => {
  it.each([
    ['postgres://me:pw@db:5432/x', 'postgres://me:<masked>@db:5432/x'],
    ['redis://:pw@cache', 'redis://:<masked>@cache'],
    ['https://ghtoken@github.com/x', 'https://<masked>@github.com/x'],
    ['Server=db;User=sa;Password=abc;', 'Server=db;User=sa;Password=<masked>;'],
    ['https://x/y?a=1&access_token=abc&b=2', 'https://x/y?a=1&access_token=<masked>&b=2'],
    ['Authorization: Bearer abcdefgh123', 'Authorization: <masked>'],
    ['id AKIAABCDEFGHIJKLMNOP.', 'id <masked>.'],
    ['postgres://me:p@ss@db/x', 'postgres://me:<masked>@db/x'],
    ['dbPassword=abc nextToken=x compass=1', 'dbPassword=<masked> nextToken=<masked> compass=1'],
    ['{"user":"me","clientSecret": "a b","n":1}', '{"user":"me","clientSecret": "<masked>","n":1}'],
    ['"{\\"password\\":\\"x\\",\\"a\\":1}"', '"{\\"password\\":\\"<masked>\\",\\"a\\":1}"'],
    ['user: me\npassword: hunter 2\nport: 1', 'user: me\npassword: <masked>\nport: 1'],
    ['x-api-key: abc', 'x-api-key: <masked>'],
    ['SyntaxError: Unexpected token: punc', 'SyntaxError: Unexpected token: punc'],
    ['http://example.com:8080/a@b', 'http://example.com:8080/a@b'],
    ['at run (file:///app/index.js:1:2)', 'at run (file:///app/index.js:1:2)'],
  ])('%s', (text, expected) => expect(maskText(text)).toBe(expected));

  it.each(['_', 'a_', 'a.', 'a-', 'a://:', '"', '\\\\', 'password: "', 'token_='])(
    'made of %s many times take no time that grows without end',
    (piece) => {
      // 16 KB of an error's text; what grows with every piece would not end in the life of this test
      expect(maskText(piece.repeat(Math.ceil(16_384 / piece.length))).length).toBeGreaterThan(0);
    },
  );

  it('of a command line lose the values of secret flags, in both forms', () => {
    const line = [
      'node',
      'app.js',
      '--token=a',
      '--password',
      'b',
      '--port',
      '80',
      'DB_PASS=c',
      '--url=amqp://u:d@mq',
      '--api-key',
      '--verbose',
    ];
    expect(maskCommandLine(line)).toEqual([
      ...['node', 'app.js', '--token=<masked>', '--password', '<masked>', '--port', '80', 'DB_PASS=<masked>'],
      ...['--url=amqp://u:<masked>@mq', '--api-key', '--verbose'],
    ]);
  });

  it('of an environment are masked by name and by value', () => {
    expect(
      maskEnvironment({
        ...{ A_SECRET: 'x', NODE_OPTIONS: '--require x --token=y', URL: 'http://u:p@h', N: '1' },
        CHAIN: '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n',
      }),
    ).toEqual({
      CHAIN: '<masked>\n',
      A_SECRET: '<masked>',
      NODE_OPTIONS: '--require x --token=<masked>',
      URL: 'http://u:<masked>@h',
      N: '1',
    });
  });

  it('of the reports of worker threads inside a report are masked too', () => {
    const report = maskReport({
      workers: [{ header: { commandLine: ['--token=x'] }, environmentVariables: { TOKEN: 'y' } }],
    });
    expect(report).toEqual({
      workers: [{ header: { commandLine: ['--token=<masked>'] }, environmentVariables: { TOKEN: '<masked>' } }],
    });
  });
});
