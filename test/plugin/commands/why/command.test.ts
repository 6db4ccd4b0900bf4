import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Service } from '../../../why/service.ts';
import { invoke } from '../../invoke.ts';

let service: Service;
let env: Record<string, string>;
const directory = mkdtempSync(join(tmpdir(), 'nodeops-why-'));

beforeAll(async () => {
  service = await Service.start('upstream-hangs.cjs', { major: 24 });
  env = { NODEOPS_CONFIG_DIR: service.configDir };
  await service.load({ path: '/', everyMs: 100 });
});
afterAll(() => service?.stop());

describe('why of a process', () => {
  it('says what is wrong, what to type next, and keeps what it saw', async () => {
    const file = join(directory, 'case.json');
    const { code, stdout } = await invoke(['why', String(service.pid), '--for', '6s', '--case', file], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1\. An upstream does not answer: /);
    expect(stdout).toMatch(/next {2}nodeops \w+ \d+$/m);
    const again = await invoke(['why', '--case', file, '--exit-code'], { env });
    expect(again.code).toBe(6);
    expect(again.stdout).toMatch(/^1\. An upstream does not answer: /);
    const twice = await invoke(['why', String(service.pid), '--for', '2s', '--case', file], { env });
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining('it is there already') });
  });

  it('is a document that keeps its schema, one for one process and a list for several', async () => {
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
      JSON.parse(await readFile('docs/schema/why.schema.json', 'utf8')),
    );
    const one = JSON.parse((await invoke(['why', String(service.pid), '--for', '2s', '-o', 'json'], { env })).stdout);
    expect(validate(one), JSON.stringify(validate.errors)).toBe(true);
    expect(one.data.lookMs).toBeGreaterThan(1_000);
    const several = await invoke(['why', String(service.pid), '127.0.0.1:1', '--for', '2s', '-o', 'json'], { env });
    expect(several.code).toBe(3);
    const list = JSON.parse(several.stdout);
    expect(validate(list), JSON.stringify(validate.errors)).toBe(true);
    expect(list.items[1].error.code).toBe('no-agent');
    expect(list.groups).toHaveLength(1);
    expect(validate({ ...one, data: { ...one.data, unknown: 1 } })).toBe(false);
  });

  it('refuses bad input before anything is asked', async () => {
    expect(await invoke(['why'], { env })).toMatchObject({ code: 2 });
    expect(await invoke(['why', String(service.pid), '--for', '1s'], { env })).toMatchObject({ code: 2 });
    expect(await invoke(['why', '--case', join(directory, 'none.json')], { env })).toMatchObject({ code: 1 });
  });

  it('tells of a process that ends while it is looked at', async () => {
    const short = await Service.start('upstream-hangs.cjs', { major: 24 });
    try {
      const asked = invoke(['why', String(short.pid), '--for', '6s'], { env: { NODEOPS_CONFIG_DIR: short.configDir } });
      setTimeout(() => short.child.kill('SIGKILL'), 3_000);
      const { code, stdout } = await asked;
      expect(code).toBe(0);
      expect(stdout).toMatch(/^1\. Process \d+ ended while it was looked at/);
    } finally {
      await short.stop();
    }
  });
});
