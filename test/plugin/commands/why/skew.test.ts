/** Agents that are not like this plugin: older, newer, read-only. */
import { createServer, request, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathPrefix } from '../../../../src/protocol/wire.ts';
import { Service } from '../../../why/service.ts';
import { invoke } from '../../invoke.ts';

/** What the older one has never heard of. */
const newer = ['requests', 'exceptions', 'history'];

let service: Service;
let env: Record<string, string>;
let older: Server;
let address: string;

beforeAll(async () => {
  service = await Service.start('upstream-hangs.cjs', { major: 24, env: { NODEOPS_READ_ONLY: '1' } });
  env = { NODEOPS_CONFIG_DIR: service.configDir };
  await service.load({ path: '/', everyMs: 100 });
  // no release is kept as a fixture so far: the agent of today, asked for what is newer by a name that it does not know
  older = createServer((asked, answer) => {
    const path = asked.url!.replace(new RegExp(`^${pathPrefix}(?:${newer.join('|')})\\b`), `${pathPrefix}not-yet`);
    const { method, headers } = asked;
    const passed = request({ host: '127.0.0.1', port: service.agentPort, path, method, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk) => chunks.push(chunk));
      reply.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const told = asked.url!.startsWith(`${pathPrefix}version`) ? withoutNewer(body) : body;
        answer.writeHead(reply.statusCode!, { ...reply.headers, 'content-length': Buffer.byteLength(told) }).end(told);
      });
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((done) => older.listen(0, '127.0.0.1', done));
  const bound = older.address();
  address = `127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`;
});
afterAll(async () => {
  older?.closeAllConnections();
  older?.close();
  await service?.stop();
});

function withoutNewer(body: string): string {
  const reply = JSON.parse(body);
  reply.data.offers = reply.data.offers.filter((name: string) => !newer.includes(name)).concat('foresight');
  return JSON.stringify(reply);
}

describe('an agent of another release', () => {
  it('is told by version, with what either of the two lacks', async () => {
    const { stdout } = await invoke(['version', address], { env });
    expect(stdout).toContain('\nthe agent lacks: requests, exceptions, history\n');
    expect(stdout).toContain('\nthe plugin lacks: foresight (update it)\n');
    const same = await invoke(['version', String(service.pid)], { env });
    expect(same.stdout).toMatch(/\nplugin: \d/);
    expect(same.stdout).not.toContain('lacks');
  });

  it('is looked at by why, which says what could not be looked for', async () => {
    const { code, stdout } = await invoke(['why', address, '--for', '6s'], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1\. An upstream does not answer: /);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/not looked for: [^(]*outbound-pool, connection-pool[^(]*\(/);
  });
});

it('a read-only agent is looked at, without profiles of the heap and what needs them', async () => {
  const { code, stdout } = await invoke(['why', String(service.pid), '--for', '6s', '-o', 'json'], { env });
  expect(code).toBe(0);
  const { data, notes } = JSON.parse(stdout);
  expect(data.findings[0].id).toBe('outbound-stuck');
  expect(notes.join('\n')).toMatch(/pprof-\w+ could not be had: .*read-only/);
});
