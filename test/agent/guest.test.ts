import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isShortLivedTool } from '../../src/agent/entry/bystander.ts';
import { complete, fromEnvironment } from '../../src/agent/settings/agent-settings.ts';
import { ask, bed, eventually, fresh, nodeOf, program, server, start, useBed } from './bed.ts';

useBed();
beforeEach(fresh);

const files = () => readdirSync(bed.configDir);

describe('an app with an agent', () => {
  it('listens on loopback only', async () => {
    const app = start(program('app.cjs', server));
    await app.says('up');
    await eventually(() => ask('version'));
    const inodes = new Set(
      readdirSync(`/proc/${app.pid}/fd`).flatMap((fd) => {
        try {
          return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${app.pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    );
    const rows = ['tcp', 'tcp6']
      .flatMap((table) => readFileSync(`/proc/${app.pid}/net/${table}`, 'utf8').split('\n').slice(1))
      .map((row) => row.trim().split(/\s+/));
    const listening = rows.filter((row) => row[3] === '0A' && inodes.has(row[9]!));
    expect(listening.length).toBeGreaterThanOrEqual(3);
    for (const row of listening) expect(row[1]).toMatch(/^0100007F:/);
  });

  it.each([
    [
      'deletes its environment, changes directory and title',
      'for (const key in process.env) delete process.env[key]; process.chdir("/"); process.title = "x";',
    ],
    ['closes its stdio', 'require("fs").closeSync(0); require("fs").closeSync(2);'],
    ['removes all listeners', 'process.removeAllListeners();'],
    ['is in strict warnings mode', 'process.on("warning", (warning) => console.log(warning.message));'],
  ])('answers when it %s', async (_what, source) => {
    const app = start(program('odd.cjs', `${source}\n${server}`));
    await app.says('up');
    expect((await eventually(() => ask('stats?window=0'))).body.process.pid).toBe(app.pid);
    expect(app.output()).toBe('up\n');
  });

  it('ends when it is done, awake or asleep', async () => {
    const script = program('done.cjs', 'setTimeout(() => console.log(performance.now()), 300)');
    const apps = [start(script), start(script), start(script)];
    for (const app of apps) expect(await app.ended).toEqual({ code: 0, signal: null });
    expect(files()).toEqual([]);
  });

  it('keeps what a signal does to it', async () => {
    const app = start(program('app.cjs', server));
    await app.says('up');
    app.child.kill('SIGTERM');
    expect(await app.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  // looking at a process interrupts it anywhere, between two steps of Node's own timers too
  it('lives on however often its loop is watched', async () => {
    const app = start(program('app.cjs', server));
    await eventually(() => ask('version'));
    const watch = async (windowMs: number) => {
      for (let asked = 0; asked < 60; asked++) expect((await ask(`stats?window=${windowMs}`)).status).toBe(200);
    };
    await Promise.all([20, 20, 20, 30, 30, 30, 40, 40].map(watch));
    expect(app.child.exitCode, app.output()).toBeNull();
  });

  it('has its own worker threads untouched', async () => {
    const app = start(
      program(
        'threads.cjs',
        `const { Worker } = require('worker_threads');
      new Worker('console.log(globalThis[Symbol.for("nodeops.agent")] === undefined)', { eval: true }).on('exit', (code) => console.log('code', code));`,
      ),
    );
    expect(await app.ended).toEqual({ code: 0, signal: null });
    expect(app.output()).toBe('true\ncode 0\n');
  });
});

describe('the preload entry steps aside', () => {
  const nothing = async (script: string, options: Parameters<typeof start>[1]) => {
    const app = start(script, options);
    await app.says('up');
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(files()).toEqual([]);
    await expect(ask('version')).rejects.toThrow('ECONNREFUSED');
    expect(app.output()).toBe('up\n');
  };

  it('when told to', () => nothing(program('app.cjs', server), { env: { NODEOPS_DISABLED: '1' } }));

  it('in package managers and build tools', async () => {
    mkdirSync(join(bed.dir, 'node_modules', 'npm', 'bin'), { recursive: true });
    await nothing(program(join('node_modules', 'npm', 'bin', 'npm-cli.js'), server), {});
    expect(isShortLivedTool('/usr/local/bin/npx')).toBe(true);
    expect(isShortLivedTool('/app/node_modules/typescript/bin/tsc')).toBe(true);
    expect(isShortLivedTool('/app/node_modules/next/dist/bin/next')).toBe(false);
    expect(isShortLivedTool('/app/server.js')).toBe(false);
  });

  it('for -p, and stays for -e', async () => {
    const printed = start('1 + 1', { flags: ['--require', bed.preload, '-p'] });
    await printed.ended;
    expect(printed.output()).toBe('2\n');
    expect(files()).toEqual([]);
    const evaluated = start(server, { flags: ['--require', bed.preload, '-e'] });
    await evaluated.says('up');
    expect((await eventually(() => ask('version'))).body.process.pid).toBe(evaluated.pid);
  });

  it.each([22, 24, 26] as const)('under a permission model without workers on Node %i', async (version) => {
    const flag = version === 22 ? '--experimental-permission' : '--permission';
    const app = start(program('quiet.cjs', 'setTimeout(() => console.log("done"), 100)'), {
      node: nodeOf(version),
      flags: ['--no-warnings', flag, '--allow-fs-read=*', '--require', bed.preload],
    });
    expect(await app.ended).toEqual({ code: 0, signal: null });
    expect(app.output()).toBe('done\n');
    expect(files()).toEqual([]);
  });
});

describe('settings', () => {
  it('come from options, else from the environment, else from defaults', () => {
    const defaults = fromEnvironment({});
    expect(defaults).toMatchObject({
      host: '127.0.0.1',
      port: 8848,
      container: null,
      token: null,
      readOnly: false,
      shutdownCleanup: true,
      notes: [],
    });
    expect(defaults.configDir).toMatch(/\.config\/gops$/);
    expect(
      fromEnvironment({ NODEOPS_ADDR: '0.0.0.0:9000', GOPS_CONFIG_DIR: '/x', NODEOPS_READ_ONLY: 'true' }),
    ).toMatchObject({ host: '0.0.0.0', port: 9000, configDir: '/x', readOnly: true });
    expect(fromEnvironment({ NODEOPS_PORT: '99999', NODEOPS_CONTAINER: 'A B' }).notes).toHaveLength(2);
    expect(
      complete({ addr: ':0', configDir: '/y', reuseSocketAddrAndPort: true }, { NODEOPS_PORT: '7000' }),
    ).toMatchObject({ host: '127.0.0.1', port: 0, configDir: '/y', reusePort: true });
    expect(complete({ addr: '[::1]:81' }, {})).toMatchObject({ host: '::1', port: 81 });
    // empty is not given, as in gops
    expect(complete({ addr: '', configDir: '' }, { NODEOPS_PORT: '7000', GOPS_CONFIG_DIR: '/x' })).toMatchObject({
      port: 7000,
      configDir: '/x',
    });
  });

  it('take a token as a Secret holds it, and none that no request could carry', () => {
    expect(fromEnvironment({ NODEOPS_TOKEN: 'abc\n' }).token).toBe('abc');
    for (const token of ['a b', 'a\nb', '\n', 'schlüssel🔑'])
      expect(() => fromEnvironment({ NODEOPS_TOKEN: token }), JSON.stringify(token)).toThrow(/^NODEOPS_TOKEN /);
  });
});
