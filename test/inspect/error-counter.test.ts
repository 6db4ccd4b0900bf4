import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { activate } from '../../src/inspect/activate.ts';
import type { Inspector } from '../../src/inspect/inspector.ts';
import { readings } from '../../src/inspect/readings/readings.ts';
import { statsText } from '../../src/protocol/text/stats.ts';
import { inspectDirectory } from '../bed/bundles.ts';
import { App, majors, nodes } from './harness/app.ts';

let harness: string;
beforeAll(async () => {
  harness = await inspectDirectory();
});

const running: App[] = [];
const opened: Inspector[] = [];
afterEach(async () => {
  for (const inspector of opened.splice(0)) await inspector.close();
  for (const app of running.splice(0)) await app.kill();
});

async function start(node: string, args: string[], options: ConstructorParameters<typeof App>[2] = { harness }) {
  const app = new App(node, args, options);
  running.push(app);
  return app.up();
}

/** What it prints and how it ends. */
async function end(node: string, args: string[], counted: boolean) {
  // nobody asks it anything
  const app = new App(node, [...(counted ? ['--require', join(harness, 'preload.cjs')] : []), ...args]);
  running.push(app);
  const [code] = await once(app.child, 'close', { signal: AbortSignal.timeout(60_000) });
  return { code, stdout: app.stdout, stderr: app.stderr.replaceAll(/\(node:\d+\)/g, '(node:PID)') };
}

const throws = 'setTimeout(() => { throw new Error("thrown") }, 20);';
const rejects = 'setTimeout(() => Promise.reject(new TypeError("rejected")), 20);';
const warns =
  'const e = new (require("events"))(); for (let i = 0; i < 11; i++) e.on("x", () => {}); process.emitWarning("mine");';
const counts =
  'console.log(process.listenerCount("uncaughtException"), process.listenerCount("unhandledRejection"), Object.keys(process).length);';
const handles = 'process.on("uncaughtException", (error, origin) => console.log("handled", error.message, origin));';
const done = 'setTimeout(() => console.log("done"), 100);';
/** Asks and lives on, until it is killed. */
const lives = 'setInterval(() => {}, 1000);';
const up = 'setTimeout(() => console.log("up"), 300);';

describe.each(majors)('an app whose errors are counted, on Node %i', (major) => {
  const node = nodes[major];

  test.each([
    ['throws', [], throws],
    ['rejects', [], rejects],
    ['throws and handles it', [], handles + throws + rejects + done],
    ['throws into a capture callback', [], `process.setUncaughtExceptionCaptureCallback(() => {});${throws}${done}`],
    ['only warns of rejections', ['--unhandled-rejections=warn'], rejects + done],
    ['takes rejections strictly', ['--unhandled-rejections=strict'], handles + rejects + done],
    ['takes no notice of rejections', ['--unhandled-rejections=none'], rejects + done],
    ['ends badly after a rejection', ['--unhandled-rejections=warn-with-error-code'], rejects + done],
    ['warns', [], warns + done],
    ['warns with a stack', ['--trace-warnings'], 'process.emitWarning("mine");'],
    ['is told not to warn', ['--no-warnings'], warns + done],
    ['counts its listeners', [], counts],
  ])('that %s prints and ends as without', async (_, flags, script) => {
    const args = [...flags, '-e', script];
    const [plain, counted] = await Promise.all([end(node, args, false), end(node, args, true)]);
    expect(counted).toEqual(plain);
    if (script.includes('listenerCount')) expect(counted.stdout).toMatch(/^0 0 /);
  });

  test('tells how many there were and when the last was, also from an endless loop', async () => {
    const script = `${handles}${throws}${throws}${rejects}${warns}${up}
      setTimeout(() => { console.log('loops'); for (;;); }, 400);`;
    const app = await start(node, ['-e', script]);
    await app.said(/^loops$/m);
    const { data, stuck } = await app.ask('stats', { window: 0 });
    expect(stuck).toBeNull();
    expect(data.errors).toMatchObject({
      uncaughtExceptions: { count: 2 },
      unhandledRejections: { count: 1 },
      warnings: { count: 2 },
    });
    const last = Date.parse(data.errors!.uncaughtExceptions.lastAt!);
    expect(last).toBeGreaterThanOrEqual(Date.parse(data.errors!.since));
    expect(statsText(data, last + 12_000)).toContain('uncaught exceptions: 2 (last 12.00s ago)');
    const attached = {
      ...data,
      uptimeSeconds: 3_600,
      errors: { ...data.errors!, since: new Date(last).toISOString() },
    };
    expect(statsText(attached, last + 12_000)).toContain(
      'uncaught exceptions: 2 (last 12.00s ago, counted for 12.00s)',
    );
  });

  test.each([
    ['throw', '', 1],
    ['strict', '', 1],
    ['warn', '', 1],
    ['warn-with-error-code', '', 1],
    ['none', '', 0],
    ['throw', 'process.on("unhandledRejection", () => {});', 0],
  ])('counts a rejection once with --unhandled-rejections=%s %s', async (mode, own, count) => {
    const args = [`--unhandled-rejections=${mode}`, '-e', handles + own + rejects + up + lives];
    const { data } = await (await start(node, args)).ask('stats', { window: 0 });
    expect(data.errors?.unhandledRejections.count).toBe(count);
    expect(data.errors?.uncaughtExceptions).toEqual({ count: 0, lastAt: null });
    expect(data.errors?.warnings?.count).toBe(0);
  });

  test('is not said to have none once it has removed our listeners', async () => {
    const silent = await start(node, ['-e', `process.removeAllListeners('warning');${up}${lives}`]);
    const { errors } = (await silent.ask('stats', { window: 0 })).data;
    expect(errors).toMatchObject({ warnings: null, uncaughtExceptions: { count: 0 } });
    const all = await start(node, ['-e', `process.removeAllListeners();${up}${lives}`]);
    const { data } = await all.ask('stats', { window: 0 });
    expect(data.errors).toBeNull();
    expect(statsText(data)).toContain('uncaught exceptions: unknown');
  });

  test('is counted from outside while somebody is attached, and is left as it was', async () => {
    const left =
      'process.listenerCount("uncaughtExceptionMonitor"), process.listenerCount("warning"), Object.getOwnPropertySymbols(process).filter((one) => one.description.startsWith("nodeops")).length';
    const script = `${handles} ${throws} console.log('before', ${left});
      process.stdin.on('data', (line) => {
        if (String(line).startsWith('throw')) setImmediate(() => { throw new Error('asked') });
        else console.log('after', ${left}, '.');
      });${up}`;
    const app = await start(node, ['-e', script], { env: { NODE_OPTIONS: '--inspect-port=0' } });
    const attach = async () => {
      const inspector = await activate(app.pid, { timeoutMs: 20_000 });
      opened.push(inspector);
      const subject = {
        pid: app.pid,
        procDir: `/proc/${app.pid}`,
        inspector: async () => inspector,
        lastKnown: new Map(),
        ownThreadId: undefined,
      };
      const errors = async () => (await readings.stats(subject, { window: 0 })).data.errors;
      return { inspector, errors };
    };
    const one = await attach();
    expect(await one.errors()).toMatchObject({ uncaughtExceptions: { count: 0 } });
    const other = await attach();
    app.child.stdin!.write('throw\n');
    await app.said(/handled asked/);
    expect(await other.errors()).toMatchObject({ uncaughtExceptions: { count: 1 } });
    await other.inspector.close();
    expect(await one.errors()).toMatchObject({ uncaughtExceptions: { count: 1 } });
    await one.inspector.close();
    app.child.stdin!.write('look\n');
    const [, after] = await app.said(/^after (.*) \.$/m);
    expect(after).toBe((await app.said(/^before (.*)$/m))[1]);
  });
});
