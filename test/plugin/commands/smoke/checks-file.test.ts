import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkNames } from '../../../../src/plugin/commands/smoke/checks.ts';
import { parseChecksFile } from '../../../../src/plugin/commands/smoke/checks-file.ts';
import { parseLimit } from '../../../../src/plugin/commands/smoke/limit.ts';
import { flagLimits, makePlan } from '../../../../src/plugin/commands/smoke/plan.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';

const complete = `
# what our services promise
defaults: true
checks: &general
  max-loop-delay-p99: 50ms
  max-utilization: 0.8
  max-heap-used: 512Mi
  max-handles: 200
  max-rss: 80 %
  node-version: '>=22.11 <25'
  max-throttled: off
workloads:
  api:
    max-rss: 1.5GB
  again: *general
containers:
  proxy:
    max-heap-used: off
    max-loop-delay-p99: 1s
`;

function problems(text: string): string[] {
  try {
    parseChecksFile(text, 'c.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(NodeopsError);
    expect((error as NodeopsError).code).toBe('usage');
    return (error as NodeopsError).detail!.problems as string[];
  }
  return [];
}

describe('a checks file', () => {
  it('gives limits to all, to workloads and to containers', () => {
    const plan = makePlan(flagLimits({} as never), parseChecksFile(complete, 'c.yaml'), true);
    const of = (workload: string | null, container: string) =>
      Object.fromEntries(
        plan.of({ workload, container }).map(({ name, limit }) => [name, 'most' in limit ? limit.most : limit.range]),
      );
    expect(of('other', 'web')).toEqual({
      'max-loop-delay-p99': 50,
      'max-utilization': 0.8,
      'max-heap-used': 512 * 1024 ** 2,
      'max-handles': 200,
      'max-rss': 0.8,
      'max-gc-share': 0.1,
      'max-restarts': 0,
      'max-exits': 0,
      'max-uncaught-exceptions': 0,
      'node-version': '>=22.11 <25',
    });
    expect(of('api', 'web')['max-rss']).toBe(1.5 * 1024 ** 3);
    expect(of('again', 'web')['max-handles']).toBe(200);
    expect(of('api', 'proxy')).not.toHaveProperty('max-heap-used');
    expect(of('api', 'proxy')['max-loop-delay-p99']).toBe(1000);
    expect(plan.unused([{ workload: 'api', container: 'web' }])).toEqual(["workload 'again'", "container 'proxy'"]);
    expect(plan.includes('max-heap-growth')).toBe(false);
  });

  it('is less than what is typed, but for what it says of single containers', () => {
    const typed = flagLimits({ 'max-loop-delay-p99': '70ms', 'max-rss': 'off' } as never);
    const plan = makePlan(typed, parseChecksFile(complete, 'c.yaml'), false);
    const delay = (container: string) =>
      plan.of({ workload: null, container }).find(({ name }) => name === 'max-loop-delay-p99')!.limit;
    expect([delay('web'), delay('proxy')]).toMatchObject([{ most: 70 }, { most: 1000 }]);
    expect(plan.of({ workload: null, container: 'web' }).map(({ name }) => name)).not.toContain('max-rss');
    expect(plan.of({ workload: null, container: 'web' }).map(({ name }) => name)).not.toContain('max-restarts');
  });

  it('is told with line and column what is wrong with it', () => {
    expect(problems('checks:\n  max-heap-usde: 80%\n')).toEqual([
      "2:3: unknown check 'max-heap-usde'; did you mean 'max-heap-used'?",
    ]);
    expect(problems('check:\n  max-rss: 1\n')[0]).toBe("1:1: unknown key 'check'; did you mean 'checks'?");
    expect(problems('checks:\n  rss: 80%\n')[0]).toContain("did you mean 'max-rss'?");
    expect(problems('checks:\n  max-rss: lots\n  max-handles: -1\n')).toEqual([
      expect.stringMatching(/^2:12: 'max-rss' is 'lots'; it takes a size such as/),
      expect.stringMatching(/^3:16: 'max-handles' is '-1'; it takes a whole number/),
    ]);
    expect(problems('checks:\n  max-loop-delay-p99: 100\n')[0]).toContain('such as 100ms');
    expect(problems('containers:\n  web: 80%\n')[0]).toMatch(/^2:8: 'web' takes keys and values/);
    expect(problems('defaults: maybe\n')[0]).toBe("1:11: 'defaults' is 'maybe'; it takes true or false");
    expect(problems('checks:\n  max-rss: 1\n  max-rss: 2\n')[0]).toMatch(/^3:3: /);
    expect(problems('checks: [\n')[0]).toMatch(/^\d+:\d+: /);
    expect(problems('')[0]).toMatch(/^1:1: /);
    expect(problems('{}')[0]).toContain('empty');
    expect(problems('a: 1\n---\nb: 2\n')).toEqual(['2:1: a second document begins here; a checks file is one']);
  });

  it('may merge maps: what a map says itself wins, then the first of those merged', () => {
    const text = `
checks: &general
  max-rss: 80%
  max-handles: 200
workloads:
  api: &api
    <<: *general
    max-handles: 3
  web:
    <<: [*api, *general]
    max-gc-share: 5%
`;
    const { workloads } = parseChecksFile(text, 'c.yaml');
    const limits = (name: string) => Object.fromEntries(workloads.get(name)!);
    expect(limits('api')).toMatchObject({ 'max-rss': { most: 0.8 }, 'max-handles': { most: 3 } });
    expect(limits('web')).toMatchObject({ 'max-handles': { most: 3 }, 'max-gc-share': { most: 0.05 } });
    expect(problems('checks:\n  <<: 80%\n')[0]).toMatch(/^2:7: '<<' takes keys and values/);
    // a map within itself ends
    expect(problems('checks: &a\n  <<: *a\n  max-rss: 1\n')).toEqual([]);
  });

  it('is told which alias stands for nothing', () => {
    expect(problems('checks:\n  max-rss: *none\n')).toEqual([
      "2:12: '*none' stands for nothing: no '&none' comes before it",
    ]);
    expect(problems('checks:\n  <<: *none\nworkloads: *no\n')).toHaveLength(2);
  });
});

describe('the schema of a checks file', () => {
  it('knows every check, and agrees with the parser', async () => {
    const schema = JSON.parse(await readFile('docs/schema/smoke.schema.json', 'utf8'));
    expect(Object.keys(schema.$defs.limits.properties)).toEqual(checkNames);
    const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);
    expect(validate(parse(complete, { merge: true }))).toBe(true);
    for (const [name, value] of [
      ['max-rss', '80%'],
      ['max-rss', '1Gi'],
      ['max-rss', 'much'],
      ['max-rss', 1000],
      ['max-rss', true],
      ['max-loop-delay-p99', '1m30s'],
      ['max-loop-delay-p99', 100],
      ['max-loop-delay-p99', '100'],
      ['max-utilization', 0.5],
      ['max-utilization', '50 %'],
      ['max-utilization', 'half'],
      ['max-handles', 5],
      ['max-handles', 1.5],
      ['max-handles', 'off'],
      ['max-handles', false],
      ['max-hndles', 5],
    ] as const) {
      const text = `checks:\n  ${name}: ${JSON.stringify(value)}\n`;
      expect([text, validate(parse(text))]).toEqual([text, problems(text).length === 0]);
    }
    expect(validate({ checks: {}, more: 1 })).toBe(false);
    expect(validate({})).toBe(false);
  });
});

describe('limits', () => {
  it.each([
    ['duration', '100ms', 100],
    ['duration', '1m', 60_000],
    ['share', '0.9', 0.9],
    ['share', '90%', 0.9],
    ['size', '512Mi', 512 * 1024 ** 2],
    ['size', '1G', 1e9],
    ['size', '1GB', 1024 ** 3],
    ['size', '80%', 0.8],
    ['count', '20', 20],
  ] as const)('%s %s', (kind, text, most) => expect(parseLimit(kind, text)).toMatchObject({ most }));
  it.each([
    ['duration', '100'],
    ['duration', '-1s'],
    ['share', 'x'],
    ['size', '1 parsec'],
    ['size', '-1'],
    ['count', '1.5'],
    ['range', 'newest'],
    ['range', ''],
  ] as const)('not %s %s', (kind, text) => expect(parseLimit(kind, text)).toBeUndefined());
});
