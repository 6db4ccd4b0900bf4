/** What docs/schema says of `-o json`, checked against what real agents reply. */
import { readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bed as agentBed, eventually, fresh, program, start, useBed } from '../agent/bed.ts';
import { Plugin } from '../plugin/commands/plugin.ts';

useBed();
let plugin: Plugin;
beforeAll(async () => {
  plugin = await Plugin.build();
});
afterAll(() => plugin?.close());

const busy = `
const http = require('node:http');
const server = http.createServer(() => {}).listen(0, () => {
  http.get({ port: server.address().port, path: '/x' }).on('error', () => {});
});
setInterval(function tick() {}, 1000);
new (require('node:worker_threads').Worker)('setInterval(() => {}, 1000)', { eval: true });
require('node:child_process').spawn('sleep', ['60']);
require('node:dgram').createSocket('udp4').bind(0);
setTimeout(() => console.log('up'), 200);
`;

describe.each(['stats', 'memstats', 'stack', 'list', 'waits'])('the schema of %s', (name) => {
  it.each([
    ['untracked', ''],
    ['tracked', 'async'],
  ])('holds for one process and for several, failures among them (%s)', async (_, track) => {
    await fresh();
    const app = start(program('busy.cjs', busy), { env: { NODEOPS_TRACK: track } });
    await app.says('up');
    const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
      JSON.parse(await readFile(`docs/schema/${name}.schema.json`, 'utf8')),
    );
    const at = `127.0.0.1:${agentBed.port}`;
    const ask = async (...targets: string[]) =>
      JSON.parse((await plugin.run([name, ...targets, '-o', 'json'])).stdout.toString());
    const one = await eventually(async () => {
      const found = await ask(at);
      expect(found.data).toBeDefined();
      return found;
    });
    expect(validate(one), JSON.stringify(validate.errors)).toBe(true);
    const many = await ask(at, '127.0.0.1:1');
    expect(many.items).toHaveLength(2);
    expect(many.items[1].error.code).toBe('no-agent');
    expect(validate(many), JSON.stringify(validate.errors)).toBe(true);
    // a schema that lets everything through says nothing
    expect(validate({ ...one, data: { ...one.data, unknown: 1 } })).toBe(false);
  });
});
