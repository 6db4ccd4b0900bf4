import { describe, expect, it } from 'vitest';
import { isSecretName } from '../../src/secrets/names.ts';
import { Secrets } from '../../src/secrets/secrets.ts';
import { masked } from '../../src/secrets/text.ts';

const spec = {
  containers: [
    {
      name: 'web',
      command: ['node', '--token=abcdefgh1', '--api-key', 'ijklmnop2', 'server.js'],
      args: ['sh', '-c', 'export DB_PASSWORD=qrstuvwx3; exec node --secret yzabcdef4 x.js'],
      env: [
        { name: 'DB_PASSWORD', value: 'correct-horse-5' },
        { name: 'DATABASE_URL', value: 'postgres://app:ghijklmn6@db:5432/x' },
        { name: 'FEATURE_TOKEN_ENABLED', value: 'true' },
        { name: 'API_TOKEN', valueFrom: { secretKeyRef: { name: 'api', key: 'token' } } },
        { name: 'MONKEY', value: 'banana' },
      ],
      livenessProbe: { httpGet: { path: '/', httpHeaders: [{ name: 'Authorization', value: 'Bearer opqrstuv7' }] } },
    },
  ],
  automountServiceAccountToken: false,
  volumes: [{ name: 'tls', secret: { secretName: 'web-tls' } }],
};
const pod = {
  metadata: {
    name: 'api-0',
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ kind: 'Pod', spec }),
      'example.com/auth-token': 'wxyzabcd8',
      'example.com/note': 'password is correct-horse-5',
    },
    managedFields: [{ manager: 'kubectl' }],
  },
  spec,
};
const secrets = [
  'abcdefgh1',
  'ijklmnop2',
  'qrstuvwx3',
  'yzabcdef4',
  'correct-horse-5',
  'ghijklmn6',
  'opqrstuv7',
  'wxyzabcd8',
];

describe('masking a pod', () => {
  it('leaves no secret in variables, arguments, probes and annotations that repeat them', () => {
    const text = JSON.stringify(new Secrets().object(pod));
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('keeps what helps to understand the pod', () => {
    const shown = new Secrets().object(pod) as typeof pod;
    const [web] = shown.spec.containers;
    expect(web!.command).toEqual(['node', `--token=${masked}`, '--api-key', masked, 'server.js']);
    expect(web!.env.slice(2)).toEqual(spec.containers[0]!.env.slice(2));
    expect(web!.env[1]!.value).toBe(`postgres://app:${masked}@db:5432/x`);
    expect(shown.spec.automountServiceAccountToken).toBe(false);
    expect(shown.spec.volumes).toEqual(spec.volumes);
    expect(shown.metadata).not.toHaveProperty('managedFields');
    const applied = shown.metadata.annotations['kubectl.kubernetes.io/last-applied-configuration'];
    expect(JSON.parse(applied).spec.containers[0].env[0]).toEqual({ name: 'DB_PASSWORD', value: masked });
  });

  it('hides what it has learnt wherever it is repeated', () => {
    const mask = new Secrets();
    mask.object(pod);
    expect(mask.text('login failed for correct-horse-5')).toBe(`login failed for ${masked}`);
    expect(mask.value({ a: ['x correct-horse-5'] })).toEqual({ a: [`x ${masked}`] });
    expect(mask.text('it is true')).toBe('it is true');
  });
});

describe('masking text', () => {
  it.each([
    ['token=abc123 next', `token=${masked} next`],
    ['GET /x?api_key=abc&y=1', `GET /x?api_key=${masked}&y=1`],
    ['Authorization: Bearer abcdefghijk', `Authorization: ${masked}`],
    ['{"password":"a b"}', /"password":"<masked>/],
    [String.raw`{\"token\":\"abcdef\"}`, /^\{\\"token\\":\\"<masked>/],
    ['redis://:abcdefgh@h', `redis://:${masked}@h`],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', masked],
    ['AKIAABCDEFGHIJKLMNOP', masked],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', masked],
    ['listening on http://localhost:3000/a@b', 'listening on http://localhost:3000/a@b'],
    ['no secrets here: tokens 5', 'no secrets here: tokens 5'],
  ])('%j', (text, shown) => {
    if (typeof shown === 'string') expect(new Secrets().text(text)).toBe(shown);
    else expect(new Secrets().text(text)).toMatch(shown);
  });

  it('goes by names', () => {
    for (const name of ['DB_PASSWORD', 'apiKey', 'api-key', 'SESSION', 'JWT', 'GITHUB_PAT', 'x-auth', 'STRIPE_KEY'])
      expect([name, isSecretName(name)]).toEqual([name, true]);
    for (const name of ['MONKEY', 'COMPASS', 'PWD', 'PATH', 'TLS_KEY_FILE', 'AWS_REGION', 'TOKEN_TTL'])
      expect([name, isSecretName(name)]).toEqual([name, false]);
  });

  it('ends soon, whatever the text', { timeout: 20_000 }, () => {
    const texts = ['a', '://', '-', 'token ', 'x://y', '--token', 'a:'].map((piece) => piece.repeat(100_000));
    // where a pattern were quadratic, this would be hours
    expect(texts.map((text) => new Secrets().text(text).length > 0)).not.toContain(false);
  });
});
