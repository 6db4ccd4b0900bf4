import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/plugin/commands/doctor/check.ts';
import { bed, eventually, fresh, listed, program, server as serving, start, useBed } from '../../../agent/bed.ts';
import { openStage, type Stage } from './stage.ts';

useBed();
// the bed bundles the agent as this version
const bundledVersion = process.env.npm_package_version ?? '0.0.0';
process.env.NODEOPS_VERSION = bundledVersion;
let stage: Stage;
const servers: Server[] = [];
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(fresh);
afterEach(() => {
  process.env.NODEOPS_VERSION = bundledVersion;
  for (const each of servers.splice(0)) each.close();
});

async function doctor(target: string, env: Record<string, string> = {}) {
  const options = { env: { NODEOPS_CONFIG_DIR: bed.configDir, ...env } };
  const { code, stdout } = await stage.run(['doctor', target, '-o', 'json'], options);
  const checks = new Map((JSON.parse(stdout).checks as Check[]).map((check) => [check.id, check]));
  return { code, checks };
}

async function listening(listener: Server): Promise<number> {
  servers.push(listener);
  await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
  return (listener.address() as AddressInfo).port;
}

describe('a process of this machine', () => {
  it('with an agent is green from its id to its memory, and no cluster is asked', async () => {
    const { pid, says } = start(program('serve.cjs', serving));
    await says('up');
    await listed([pid]);
    const { code, checks } = await eventually(async () => {
      const result = await doctor(String(pid));
      expect(result.checks.get('process.file')?.status).toBe('ok');
      return result;
    });
    expect(code).toBe(0);
    expect(
      [...checks.values()].filter(({ status }) => status !== 'ok').map(({ id, detail }) => ({ id, detail })),
    ).toEqual([]);
    expect([...checks.keys()]).toEqual([
      ...['process', 'process.user', 'process.node', 'process.file', 'process.port'],
      ...['agent', 'agent.version', 'agent.notes', 'node', 'processes', 'event-loop', 'memory', 'triggers'],
    ]);
    expect(checks.get('node')?.detail).toBe('v24.21.0');
    expect(checks.get('process')?.subject).toBe(String(pid));
    expect(stage.asked).toEqual([]);
  });

  it('whose loop is blocked is warned of, with the command that shows where', async () => {
    const { pid, says } = start(program('spin.cjs', "console.log('up'); setTimeout(() => { for (;;); }, 200)"));
    await says('up');
    await listed([pid]);
    await eventually(async () => {
      const { checks } = await doctor(String(pid));
      expect(checks.get('event-loop')).toMatchObject({
        status: 'warn',
        remedy: { run: [`kubectl nodeops stack ${pid}`] },
      });
    });
  });

  it('whose settings make no sense passes on what its agent says of them', async () => {
    const { pid, says } = start(program('serve.cjs', serving), { env: { NODEOPS_SLEEP_AFTER_MS: 'soon' } });
    await says('up');
    await listed([pid]);
    const { checks } = await eventually(async () => {
      const result = await doctor(String(pid));
      expect(result.checks.get('agent')?.status).toBe('ok');
      return result;
    });
    expect(checks.get('agent.notes')).toMatchObject({ status: 'warn' });
    expect(checks.get('agent.notes')?.detail).toContain('NODEOPS_SLEEP_AFTER_MS');
  });

  it('has its trigger rules told on one line, with what is wrong with them', async () => {
    const rules = 'when cpu > 900% capture stack; when luck < 3 capture stack';
    const { pid, says } = start(program('serve.cjs', serving), {
      env: { NODEOPS_TRIGGERS: rules, NODEOPS_ARTIFACTS_DIR: bed.configDir },
    });
    await says('up');
    await listed([pid]);
    const checks = await eventually(async () => {
      const result = await doctor(String(pid));
      expect(result.checks.get('triggers')?.status).toBe('warn');
      return result.checks;
    }, 20_000);
    expect(checks.get('triggers')?.detail).toMatch(
      /^NODEOPS_TRIGGERS, line 1: 'when luck < 3 capture stack': 'luck' is not a figure; .*; 1 in force: when cpu > 900% capture stack \(not fired\)$/,
    );
    expect(checks.get('triggers')?.remedy?.say).toContain('docs/triggers.md');
    expect(checks.get('agent.notes')?.status).toBe('ok');
  });

  it('whose agent is of another version than the plugin is warned of', async () => {
    const { pid, says } = start(program('serve.cjs', serving));
    await says('up');
    await listed([pid]);
    process.env.NODEOPS_VERSION = '9.8.7';
    await eventually(async () => {
      const { code, checks } = await doctor(String(pid));
      expect(code).toBe(0);
      expect(checks.get('agent.version')).toMatchObject({ status: 'warn' });
      expect(checks.get('agent.version')?.detail).toContain('this plugin is 9.8.7');
    });
  });

  it('that asks for a token says so', async () => {
    const { pid, says } = start(program('serve.cjs', serving), { env: { NODEOPS_TOKEN: 'hush-hush' } });
    await says('up');
    const { checks } = await eventually(async () => {
      const result = await doctor(String(pid));
      expect(result.checks.get('process.file')?.status).toBe('ok');
      return result;
    });
    expect(checks.get('agent')).toMatchObject({ status: 'fail' });
    expect(checks.get('agent')?.detail).toContain('asks for a token');
  });

  it('without an agent fails at its config directory', async () => {
    const { pid, says } = start(program('serve.cjs', serving), { flags: [] });
    await says('up');
    const { code, checks } = await doctor(String(pid));
    expect(code).toBe(1);
    expect(checks.get('process.node')?.status).toBe('ok');
    expect(checks.get('process.file')?.detail).toContain(`no file ${pid} in ${bed.configDir}`);
    expect(checks.get('agent')).toMatchObject({ status: 'skip', detail: 'needs: config directory' });
  });

  it('that is not Node.js is told by its program', async () => {
    const child = spawn('sleep', ['60']);
    try {
      await eventually(async () => {
        const { checks } = await doctor(String(child.pid));
        expect(checks.get('process.node')).toMatchObject({ status: 'warn' });
        expect(checks.get('process.node')?.detail).toMatch(/^it runs (?:sleep|coreutils)/);
      });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('that has ended is not there', async () => {
    const { pid, ended } = start(program('end.cjs', '0'), { flags: [] });
    await ended;
    const { code, checks } = await doctor(String(pid));
    expect(code).toBe(1);
    expect(checks.get('process')).toMatchObject({ status: 'fail', detail: `there is no process ${pid}` });
  });
});

describe('an address', () => {
  it('behind which another program listens says which', async () => {
    const port = await listening(
      createServer((_, response) => {
        response.setHeader('Server', 'envoy');
        response.writeHead(404).end();
      }),
    );
    const { code, checks } = await doctor(`127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(checks.get('address')?.status).toBe('ok');
    expect(checks.get('agent')?.detail).toContain("the HTTP server 'envoy' answers (status 404)");
  });

  it('behind which something listens that never answers is given up', async () => {
    const port = await listening(createTcpServer((socket) => socket.on('error', () => {})));
    const { code, checks } = await doctor(`127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(checks.get('agent')).toMatchObject({ status: 'fail', detail: 'no answer within 10 s' });
  });

  it('where nothing listens fails there', async () => {
    const { code, checks } = await doctor('127.0.0.1:1');
    expect(code).toBe(1);
    expect(checks.get('address')?.detail).toContain('nothing listens on 127.0.0.1:1');
  });

  it('of an agent needs no process id', async () => {
    const { pid, says } = start(program('serve.cjs', serving));
    await says('up');
    await listed([pid]);
    const { code, checks } = await doctor(`127.0.0.1:${bed.port}`);
    expect(code).toBe(0);
    expect(checks.get('processes')?.detail).toBe(String(pid));
  });
});
