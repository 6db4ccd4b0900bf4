import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type App,
  ask,
  bed,
  eventually,
  fresh,
  listed,
  nodeOf,
  program,
  server,
  start,
  useBed,
  versions,
} from './bed.ts';

useBed();
beforeEach(fresh);

const env = { NODEOPS_MODE: 'standby', NODEOPS_SLEEP_AFTER_MS: '500' };
const threadNames = (pid: number) =>
  readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim());
const portOf = (pid: number) => Number(readFileSync(join(bed.configDir, String(pid)), 'utf8'));

/** Says what its async hooks saw between the first and the third second, and what keeps it alive. */
const hooked = `
  const seen = [];
  setTimeout(() => {
    const { createHook } = require('async_hooks');
    const own = new Set();
    const hook = createHook({
      init(id, type) { seen.push('init ' + type); },
      before(id) { if (!own.has(id)) seen.push('before'); },
    }).enable();
    const timer = setTimeout(() => {
      hook.disable();
      console.log('seen ' + JSON.stringify(seen) + JSON.stringify(process.getActiveResourcesInfo()));
    }, 2000);
    own.add(timer[Object.getOwnPropertySymbols(timer).find((key) => String(key) === 'Symbol(asyncId)')]);
  }, 1000);
  console.log('up');`;
const seenBy = async (app: App) => {
  await app.says('seen ');
  return /seen (.*)/.exec(app.output())![1];
};

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])('a process on Node %i', (version) => {
  const node = nodeOf(version);
  it('has nothing of ours in its async hooks after the first second, on standby', async () => {
    const path = program('hooked.cjs', hooked);
    // agents of other tests would ask who it is
    const within = process.getuid?.() === 0 ? ['unshare', '-n', '--kill-child'] : [];
    const bare = start(path, { node, flags: [] });
    const standby = start(path, { node, env, within });
    expect(await seenBy(standby)).toBe(await seenBy(bare));
  });

  it('has no thread of ours on standby until it is asked, and none a while after', async () => {
    const app = start(program('server.cjs', server), { node, env });
    await app.says('up');
    const before = threadNames(app.pid).length;
    const port = portOf(app.pid);
    expect((await ask('stats?window=0')).body.process.pid).toBe(app.pid);
    expect(threadNames(app.pid).length).toBeGreaterThan(before);
    expect(portOf(app.pid)).not.toBe(port);
    const awake = threadNames(app.pid).length;
    await eventually(() => expect(threadNames(app.pid).length).toBeLessThan(awake));
    await eventually(() => expect(portOf(app.pid)).toBe(port));
    expect((await ask('version')).body.process.pid).toBe(app.pid);
  });
});

describe('processes on standby', () => {
  it('are all found behind one port, and another leads when the leader is killed', async () => {
    const apps: App[] = [];
    for (let i = 0; i < 3; i++) {
      apps.push(start(program('server.cjs', server), { env }));
      await apps[i]!.says('up');
    }
    await listed(apps.map(({ pid }) => pid));
    for (const { pid } of apps) expect((await ask(`memstats?process=${pid}`)).body.process.pid).toBe(pid);
    apps[0]!.child.kill('SIGKILL');
    const { body } = await listed(apps.slice(1).map(({ pid }) => pid));
    expect(body.data.processes.filter(({ leader }: { leader: boolean }) => leader)).toHaveLength(1);
  });

  it('are answered for from outside by one that turns, when they are blocked', async () => {
    const spin = 'setTimeout(function spin() { for (;;); }, 1500); ';
    const turning = start(program('server.cjs', server), { env });
    await turning.says('up');
    const blocked = start(program('blocked.cjs', `${spin}${server}`), { env });
    await blocked.says('up');
    await listed([turning.pid, blocked.pid]);
    await eventually(async () => {
      const reply = await ask(`stack?process=${blocked.pid}`);
      expect(reply.body.data?.threads[0].frames[0]?.function).toBe('spin');
    });
  });
});

it('NODEOPS_MODE without sense is told by version, and watch is used', async () => {
  const app = start(program('server.cjs', server), { env: { NODEOPS_MODE: 'sleepy' } });
  await app.says('up');
  const { body } = await eventually(() => ask('version'));
  expect(body.notes).toEqual(["NODEOPS_MODE is 'sleepy'; watch is used instead"]);
});
