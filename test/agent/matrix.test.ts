import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { agentMetafiles } from '../bed/bundles.ts';
import { ask, bed, eventually, fresh, nodeOf, program, server, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

const esm = `import http from 'node:http'; http.createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));`;

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])('Node %i', (version) => {
  const node = nodeOf(version);
  for (const flag of ['--require', '--import'])
    for (const [kind, file, source] of [
      ['CommonJS', 'app.cjs', server],
      ['ESM', 'app.mjs', esm],
    ] as const)
      it(`answers for a ${kind} app preloaded with ${flag}, and the app prints only its own`, async () => {
        const flags = [flag, flag === '--import' ? pathToFileURL(bed.preload).href : bed.preload];
        const app = start(program(file, source), { node, flags });
        await app.says('up');
        const { status, body, headers } = await eventually(() => ask('version'));
        expect(status).toBe(200);
        expect(headers['x-nodeops-protocol']).toBe('1');
        expect(body).toMatchObject({
          schema: 'nodeops/v1',
          operation: 'version',
          process: { container: null, pid: app.pid },
          stuck: null,
        });
        expect(body.data.nodeVersion).toMatch(new RegExp(`^v${version}\\.`));
        const stats = await ask('stats?window=50');
        expect(stats.body.data.threads.workers).toBe(0);
        expect(app.output()).toBe('up\n');
      });

  it('answers while the app has been blocked since its first line', async () => {
    const app = start(program('blocked.cjs', 'function spin() { while (true) {} }\nspin();'), { node });
    const { body } = await eventually(() => ask('stack'));
    expect(body.process.pid).toBe(app.pid);
    expect(body.data.threads[0].frames[0].function).toBe('spin');
  });

  for (const [name, head] of [
    ['listen.cjs', `const { listen } = require('./index.cjs');`],
    ['listen.mjs', `import { listen } from './index.mjs';`],
  ])
    it(`listen() in ${name} resolves with a port that answers, and close() frees it and removes the file`, async () => {
      const script = program(
        name!,
        `${head}
        const run = async () => {
          const handle = await listen({ container: 'web' });
          console.log('port', handle.port, (await listen()).port === handle.port);
          process.stdin.once('data', async () => { await handle.close(); await handle.close(); console.log('closed'); process.stdin.destroy(); });
        };
        run();`,
      );
      const app = start(script, { node, flags: [], stdin: 'pipe' });
      await app.says('true');
      const port = Number(/port (\d+)/.exec(app.output())![1]);
      expect((await ask('version', { port })).body.process).toEqual({ container: 'web', pid: app.pid });
      expect((await eventually(() => ask('version?process=web'))).body.process.pid).toBe(app.pid);
      const file = join(bed.configDir, String(app.pid));
      expect(readFileSync(file, 'utf8')).toBe(String(port));
      expect(statSync(file).mode & 0o777).toBe(0o600);
      app.child.stdin!.write('x');
      await app.says('closed');
      expect(await app.ended).toEqual({ code: 0, signal: null });
      await expect(ask('version', { port })).rejects.toThrow('ECONNREFUSED');
      expect(existsSync(file)).toBe(false);
    });

  it('changes no exit code and no output, keeps no process alive, and leaves no file', async () => {
    for (const [source, code] of [
      ['console.log("done")', 0],
      ['process.exitCode = 3; console.log("done")', 3],
      ['console.log("done"); process.exit(7)', 7],
      ['setTimeout(() => console.log("done"), 150)', 0],
      ['console.log("done"); setTimeout(() => { process.exitCode = 9; }, 100)', 9],
    ] as const) {
      const app = start(program('short.cjs', source), { node });
      expect(await app.ended).toEqual({ code, signal: null });
      expect(app.output()).toBe('done\n');
    }
    const thrown = start(program('throws.cjs', 'setTimeout(() => { throw new Error("mine"); }, 100)'), { node });
    expect((await thrown.ended).code).toBe(1);
    expect(thrown.output()).toContain('Error: mine');
    expect(readdirSync(bed.configDir)).toEqual([]);
  });
});

it('a top-level await of listen() ends with the process alive until it resolves', async () => {
  const app = start(
    program('await.mjs', `import { listen } from './index.mjs'; console.log(typeof (await listen()).port);`),
    { flags: [] },
  );
  expect((await app.ended).code).toBe(0);
  expect(app.output()).toBe('number\n');
});

it('listen() rejects an option that makes no sense, naming it', async () => {
  const app = start(
    program(
      'wrong.mjs',
      `import { listen } from './index.mjs';
    const wrong = [{ addr: 'a b' }, { container: 'Not It' }, { token: '' }, { token: 'a b' }, { sleepAfterMs: 1 }, { mode: 'off' }];
    // from a program that is no TypeScript
    const ofWrongType = [{ addr: 8848 }, { configDir: null }, { token: 5 }, { readOnly: 'no' }, { sleepAfterMs: '500' }, null];
    for (const options of [...wrong, ...ofWrongType])
      await listen(options).catch((error) => console.log(error.name, error.message.split(' ')[0]));`,
    ),
    { flags: [] },
  );
  await app.ended;
  const named = ['addr', 'container', 'token', 'token', 'sleepAfterMs', 'mode'];
  const ofWrongType = ['addr', 'configDir', 'token', 'readOnly', 'sleepAfterMs', 'options'];
  expect(app.output()).toBe([...named, ...ofWrongType].map((name) => `TypeError ${name}\n`).join(''));
});

it('close() before the agent answers ends the wait for it', async () => {
  const app = start(
    program(
      'closed.mjs',
      `import { close, listen } from './index.mjs';
    const started = performance.now();
    const listening = listen();
    await close();
    // the wait for an agent that does not come is 5 s
    console.log(await listening, performance.now() - started < 4_500);`,
    ),
    { flags: [] },
  );
  expect((await app.ended).code).toBe(0);
  expect(app.output()).toBe('undefined true\n');
});

it('the shipped files need node: modules only', async () => {
  const external = (await agentMetafiles()).flatMap(({ inputs }) =>
    Object.values(inputs).flatMap((input) => input.imports.filter((one) => one.external).map((one) => one.path)),
  );
  expect(external.length).toBeGreaterThan(5);
  expect(external.filter((path) => path !== '<runtime>' && !isBuiltin(path))).toEqual([]);
});
