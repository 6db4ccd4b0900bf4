import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type App, ask, bed, eventually, fresh, listed, nodeOf, program, server, start, useBed } from './bed.ts';

useBed();
beforeEach(fresh);

/** Serves, and blocks, or takes SIGUSR1, when told to on stdin. */
const told = `${server}
process.stdin.on('data', (text) => {
  if (String(text) === 'own') process.on('SIGUSR1', () => console.log('mine'));
  if (String(text) === 'block') setTimeout(function spin() { console.log('blocked'); while (true) {} }, 20);
  console.log('did ' + text);
});`;

async function startSeveral(count: number, script = program('told.cjs', told)) {
  const apps = [];
  for (let i = 0; i < count; i++) {
    const app = start(script, { stdin: 'pipe' });
    await app.says('up');
    await listed([...apps.map(({ pid }) => pid), app.pid]);
    apps.push(app);
  }
  return apps;
}

/** Returns when it does not come back to its loop any more. */
async function block(app: App): Promise<void> {
  app.child.stdin!.write('block');
  await app.says('blocked');
}

/** That its stack shows it in `spin`; it may not have got there from saying that it will. */
const spins = (pid: number) =>
  eventually(async () => {
    const reply = await ask(`stack?process=${pid}`);
    expect(reply.status).toBe(200);
    expect(reply.body.data.threads[0].frames[0].function).toBe('spin');
  });

const threadsOf = (pid: number) => Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

describe('processes of one container', () => {
  it('are one awake and the others asleep, all answering by process behind one port', async () => {
    const [leader, second, third] = (await startSeveral(3)) as [...Awaited<ReturnType<typeof startSeveral>>] & {
      length: 3;
    };
    expect(threadsOf(second!.pid)).toBeLessThan(threadsOf(leader!.pid));
    const { body } = await ask('processes');
    expect(
      body.data.processes.filter((info: { leader: boolean }) => info.leader).map((info: { pid: number }) => info.pid),
    ).toEqual([leader!.pid]);
    for (const app of [leader!, second!, third!]) {
      const reply = await ask(`stats?window=0&process=${app.pid}`);
      expect(reply.status).toBe(200);
      expect(reply.body.process.pid).toBe(app.pid);
      expect(reply.body.data.uptimeSeconds).toBeGreaterThan(0);
      const port = Number(readFileSync(join(bed.configDir, String(app.pid)), 'utf8'));
      expect((await ask('memstats', { port })).body.process.pid).toBe(app.pid);
      expect((await ask(`version?process=1`, { port })).body.error.code).toBe('no-such-process');
    }
    expect(
      (await ask('processes', { port: Number(readFileSync(join(bed.configDir, String(third!.pid)), 'utf8')) })).body
        .data.processes,
    ).toHaveLength(3);
  });

  it('must be named when there are several, and the error lists them', async () => {
    const apps = await startSeveral(2);
    const { status, body } = await ask('stats');
    expect(status).toBe(409);
    expect(body.error.code).toBe('ambiguous-process');
    expect(body.error.detail.processes.map((info: { pid: number }) => info.pid).sort()).toEqual(
      apps.map(({ pid }) => pid).sort(),
    );
    for (const { pid } of apps) expect(body.error.message).toContain(String(pid));
    expect((await ask('stats?process=999999')).body.error).toMatchObject({ code: 'no-such-process' });
    expect((await ask('stats?process=!')).body.error).toMatchObject({ code: 'bad-request' });
  });

  it('fall asleep again after a while without use', async () => {
    bed.apps = [];
    const script = program('told.cjs', told);
    const leader = start(script, { stdin: 'pipe' });
    await listed([leader.pid]).catch(() => {});
    const sleeper = start(script, { stdin: 'pipe', env: { NODEOPS_SLEEP_AFTER_MS: '300' } });
    await listed([leader.pid, sleeper.pid]);
    const asleep = threadsOf(sleeper.pid);
    let most = await eventually(async () => {
      expect((await ask(`stats?window=0&process=${sleeper.pid}`)).status).toBe(200);
      const threads = threadsOf(sleeper.pid);
      expect(threads).toBeGreaterThan(asleep);
      return threads;
    });
    // not down to what it was: libuv's pool grows, and stays
    await eventually(() => {
      const threads = threadsOf(sleeper.pid);
      most = Math.max(most, threads);
      expect(threads).toBeLessThan(most);
    });
    expect((await ask(`stats?window=0&process=${sleeper.pid}`)).status).toBe(200);
  });

  it('answer through SIGUSR1 while a sleeper is blocked, naming the function, and close the inspector again', async () => {
    const [, sleeper] = await startSeveral(2);
    await block(sleeper!);
    await spins(sleeper!.pid);
    await eventually(() =>
      expect(readFileSync(`/proc/${sleeper!.pid}/net/tcp`, 'utf8')).not.toMatch(/0100007F:240D 00000000:0000 0A/),
    );
  });

  it('keep their captures apart while one of them is blocked', async () => {
    const [leader, sleeper] = await startSeveral(2);
    await block(sleeper!);
    await spins(sleeper!.pid);
    const begin = async ({ pid }: App): Promise<string> => {
      const { status, body } = await ask(`pprof-cpu?duration=600000&process=${pid}`, { method: 'POST' });
      expect(status, JSON.stringify(body)).toBe(201);
      return body.data.id;
    };
    const ofLeader = await begin(leader!);
    const ofSleeper = await begin(sleeper!);
    for (const [app, id] of [
      [leader!, ofLeader],
      [sleeper!, ofSleeper],
    ] as const) {
      const { body } = await ask(`jobs/${id}?process=${app.pid}`);
      expect(body).toMatchObject({ process: { pid: app.pid }, data: { state: 'running' } });
      await ask(`jobs/${id}?process=${app.pid}`, { method: 'DELETE' });
    }
  });

  it('answer also for a sleeper that has blocked since its first line', async () => {
    const [leader] = await startSeveral(1);
    const blocked = start(program('blocked.cjs', 'function spin() { while (true) {} }\nspin();'));
    await listed([leader!.pid, blocked.pid]);
    await spins(blocked.pid);
  });

  it('never send SIGUSR1 to an app that handles it: the answer is what the kernel shows', async () => {
    const [, sleeper] = await startSeveral(2);
    sleeper!.child.stdin!.write('own');
    await sleeper!.says('did own');
    await block(sleeper!);
    const { body } = await ask(`stats?process=${sleeper!.pid}`);
    expect((body.stuck ?? body.error).summary ?? body.error.message).toBeTruthy();
    expect(body.stuck?.state ?? body.error?.code).toMatch(/R|stuck/);
    expect(sleeper!.output()).not.toContain('mine');
    expect(sleeper!.output()).not.toContain('Debugger');
  });

  it('have another leader when the leader is killed, and its file is removed', async () => {
    const [leader, ...others] = await startSeveral(5);
    leader!.child.kill('SIGKILL');
    await leader!.ended;
    const alive = others.map(({ pid }) => pid);
    const { body } = await listed(alive);
    expect(body.data.processes.filter((info: { leader: boolean }) => info.leader)).toHaveLength(1);
    await eventually(() => expect(existsSync(join(bed.configDir, String(leader!.pid)))).toBe(false));
    for (const pid of alive)
      await eventually(async () => expect((await ask(`stats?window=0&process=${pid}`)).body.process?.pid).toBe(pid));
  });

  it('still know one that was blocked when the watcher was killed, and another that has come since', async () => {
    const [watcher, blocked] = await startSeveral(2);
    const third = start(program('told.cjs', told), { stdin: 'pipe' });
    await listed([watcher!.pid, blocked!.pid, third.pid]);
    await block(blocked!);
    watcher!.child.kill('SIGKILL');
    const fresh = start(program('told.cjs', told), { stdin: 'pipe' });
    await listed([blocked!.pid, third.pid, fresh.pid]);
    await spins(blocked!.pid);
    blocked!.child.kill('SIGKILL');
    await listed([third.pid, fresh.pid]);
  });

  it('are the primary and the workers of a cluster', async () => {
    const app = start(
      program(
        'cluster.cjs',
        `const cluster = require('cluster');
      if (cluster.isPrimary) { for (let i = 0; i < 3; i++) cluster.fork(); setInterval(() => {}, 1000); }
      else require('http').createServer((q, r) => r.end('x')).listen(0, () => console.log('up', process.pid));`,
      ),
    );
    await eventually(() => expect(app.output().match(/up/g)).toHaveLength(3));
    const workers = [...app.output().matchAll(/up (\d+)/g)].map(([, pid]) => Number(pid));
    await listed([app.pid, ...workers]);
    for (const pid of workers)
      await eventually(async () => expect((await ask(`stats?window=0&process=${pid}`)).body.process?.pid).toBe(pid));
    app.child.kill('SIGTERM');
  });
});

describe('another container of the pod', () => {
  const within = ['unshare', '-p', '-f', '--mount-proc', '--kill-child'];
  it('registers with the leader, is reached through it, and takes over when the leader goes', async (context) => {
    if (process.getuid?.() !== 0) context.skip('a pid namespace of its own takes root');
    const script = program('told.cjs', told);
    const first = start(script, { stdin: 'pipe', env: { NODEOPS_CONTAINER: 'web' } });
    await listed([first.pid]);
    const configDir = mkdtempSync(join(bed.dir, 'other-'));
    const second = start(program('two.cjs', `${server} require('child_process').fork(${JSON.stringify(script)});`), {
      within,
      env: { NODEOPS_CONTAINER: 'side', NODEOPS_CONFIG_DIR: configDir },
    });
    await second.says('up');
    const processes = async () => (await ask('processes')).body.data.processes as { container: string; pid: number }[];
    await eventually(async () =>
      expect((await processes()).map(({ container }) => container).sort()).toEqual(['side', 'side', 'web']),
    );
    const side = (await processes()).filter(({ container }) => container === 'side');
    for (const { pid } of side) {
      const reply = await ask(`stats?window=0&process=side/${pid}`);
      expect(reply.status).toBe(200);
      expect(reply.body.process).toEqual({ container: 'side', pid });
    }
    expect((await ask('stats?process=web')).body.process.pid).toBe(first.pid);
    expect((await ask('stats?process=side')).body.error.code).toBe('ambiguous-process');
    first.child.kill('SIGKILL');
    await eventually(async () => expect(await processes()).toHaveLength(2));
    expect((await ask('stats?window=0&process=side/1')).body.process).toEqual({ container: 'side', pid: 1 });
  });
});

it('runs on Node 20 and 26 side by side', async () => {
  const script = program('told.cjs', told);
  const old = start(script, { stdin: 'pipe', node: nodeOf(20) });
  await old.says('up');
  await listed([old.pid]);
  const young = start(script, { stdin: 'pipe', node: nodeOf(26) });
  await listed([old.pid, young.pid]);
  expect((await ask(`version?process=${young.pid}`)).body.data.nodeVersion).toMatch(/^v26/);
  expect((await ask(`version?process=${old.pid}`)).body.data.nodeVersion).toMatch(/^v20/);
});
