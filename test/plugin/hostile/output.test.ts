/** Nothing that a pod says reaches the terminal or CI raw, whatever the command and the form. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ask, bed, eventually, fresh, program, start, useBed } from '../../agent/bed.ts';
import { Plugin } from '../commands/plugin.ts';
import { everyString, hostileAgent, oddValues, payload } from './agent.ts';

useBed();
let plugin: Plugin;
beforeAll(async () => {
  plugin = await Plugin.build();
});
afterAll(() => plugin.close());
beforeEach(fresh);

const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]|^\s*::[a-z]|##vso\[/m;
const readings = ['version', 'stats', 'memstats', 'stack', 'waits', 'process', 'list', 'tree', 'history', 'gc'];
const name = '\\u001b]0;x\\u0007::error::name';
const source = `const f = { ['${name}']() { while (Date.now() < end); } };
  let end = 0; console.log('up'); setInterval(() => { end = Date.now() + 100; f['${name}'](); }, 150)`;

async function appWithAgent(): Promise<number> {
  const app = start(program('named.cjs', source));
  await app.says('up');
  await eventually(async () => expect((await ask('version')).status).toBe(200));
  return bed.port;
}

describe('a hostile agent', () => {
  it('has nothing it says printed raw, in text, tables and documents', async () => {
    const port = await appWithAgent();
    const agent = await hostileAgent(port, everyString);
    try {
      for (const name of readings)
        for (const form of [[], ['-o', 'wide'], ['-o', 'json'], ['-o', 'yaml']]) {
          const { stdout, stderr } = await plugin.run([name, agent.address, ...form]);
          expect(`${stdout}`, `${name} ${form}: stdout`).not.toMatch(raw);
          expect(stderr, `${name} ${form}: stderr`).not.toMatch(raw);
          if (form.includes('json')) expect(stdout.toString(), name).toContain('PWNED');
        }
    } finally {
      agent.close();
    }
  });

  it('keeps its words in documents, escaped', async () => {
    const port = await appWithAgent();
    const agent = await hostileAgent(port, everyString);
    try {
      for (const form of ['json', 'yaml']) {
        const { stdout } = await plugin.run(['version', agent.address, '-o', form]);
        // YAML is a superset of JSON
        const { data } = parse(stdout.toString()) as { data: { nodeVersion: string } };
        expect(data.nodeVersion).toMatch(/^v\d/);
        expect(data.nodeVersion).toContain(payload);
      }
    } finally {
      agent.close();
    }
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'with odd values in its replies ends in one line and no stack trace (seed %i)',
    async (seed) => {
      const port = await appWithAgent();
      const agent = await hostileAgent(port, oddValues(seed));
      try {
        for (const name of readings) {
          const { code, stdout, stderr } = await plugin.run([name, agent.address]);
          expect(`${stdout}${stderr}`, name).not.toMatch(raw);
          expect(`${stdout}${stderr}`, name).not.toMatch(
            /TypeError|RangeError|Cannot read|is not a function|\n {4}at /,
          );
          if (code !== 0)
            expect(
              stderr
                .trim()
                .split('\n')
                .filter((line) => !line.startsWith('note:')),
              name,
            ).toHaveLength(1);
        }
      } finally {
        agent.close();
      }
    },
  );
});
