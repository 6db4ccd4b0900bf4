import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { updateNote } from '../../../src/plugin/cli/update-check.ts';

process.env.NODEOPS_VERSION ??= '0.0.0';
const own = process.env.NODEOPS_VERSION;

let server: Server;
let answer = '';
let asked = 0;
let address: string;
beforeAll(async () => {
  server = createServer((_, response) => {
    asked++;
    response.end(answer);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/latest`;
});
afterAll(() => server.close());

let cache: string;
beforeEach(() => {
  asked = 0;
  answer = '{"tag_name":"v99.1.0"}';
  cache = mkdtempSync(join(tmpdir(), 'nodeops-update-'));
});

const note = (env: Record<string, string> = {}, { at = '2026-12-01T10:00:00Z', isTTY = true } = {}) =>
  updateNote({
    env: { XDG_CACHE_HOME: cache, NODEOPS_UPDATE_CHECK: address, ...env },
    stderr: Object.assign(new PassThrough(), { isTTY }),
    now: () => new Date(at),
  });

it('says that a newer one is released, once a day', async () => {
  expect(await note()).toBe(
    `note: nodeops 99.1.0 is released, and this is ${own}; NODEOPS_UPDATE_CHECK asks for this\n`,
  );
  expect(await note({}, { at: '2026-12-02T09:59:00Z' })).toBeNull();
  expect(asked).toBe(1);
  expect(await note({}, { at: '2026-12-02T10:01:00Z' })).toContain('99.1.0');
});

it.each([
  ['where nobody asked for it', { NODEOPS_UPDATE_CHECK: '' }, {}],
  ['where it is off', { NODEOPS_UPDATE_CHECK: 'off' }, {}],
  ['in CI', { CI: 'true' }, {}],
  ['where nobody reads it', {}, { isTTY: false }],
])('asks nothing %s', async (_, env, more) => {
  expect(await note(env as Record<string, string>, more)).toBeNull();
  expect(asked).toBe(0);
});

it.each([
  ['the same', `{"version":"${own}"}`],
  ['no version', '{"tag_name":"\\u001b[2Jnewest"}'],
  ['no JSON', '<html>'],
])('says nothing of an answer that has %s', async (_, text) => {
  answer = text;
  expect(await note()).toBeNull();
  expect(asked).toBe(1);
});

it('says nothing where nothing answers, and asks no more that day', async () => {
  expect(await note({ NODEOPS_UPDATE_CHECK: 'http://127.0.0.1:1/' })).toBeNull();
  expect(await note()).toBeNull();
  expect(asked).toBe(0);
});
