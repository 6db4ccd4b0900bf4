/** However a process ends while it is looked at, it says what it says without the agent: no line of Node's about a session that is open. */
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, type versions } from './bed.ts';

useBed();
beforeEach(fresh);

const ways = {
  exit: `process.exit(3)`,
  'an exit in an exit': `process.on('exit', () => process.exit(4)); process.exit(3)`,
  reallyExit: `process.reallyExit(6)`,
  'a signal to itself': `process.kill(process.pid, 'SIGTERM')`,
  'a signal that it handles': `process.on('SIGTERM', () => process.exit(5)); process.kill(process.pid, 'SIGTERM')`,
  'an exception': `throw new Error('thrown')`,
  'a rejection': `Promise.reject(new Error('rejected'))`,
  'nothing left to do': `process.stdin.destroy()`,
};
const app = (way: string) => `process.stdin.once('data', () => { ${way} }); console.log('up');`;

const cases: [keyof typeof versions, 'on' | 'off'][] = [
  [20, 'on'],
  [22, 'on'],
  [24, 'on'],
  [24, 'off'],
  [26, 'on'],
];

describe.each(cases)('on Node %i, the recorder %s', (version, recorder) => {
  const options = { node: nodeOf(version), stdin: 'pipe' as const, env: { NODEOPS_RECORDER: recorder } };

  it.each(Object.keys(ways) as (keyof typeof ways)[])('%s', async (way) => {
    const path = program('way.cjs', app(ways[way]));
    const bare = start(path, { ...options, flags: [] });
    await bare.says('up');
    bare.child.stdin!.write('end');
    const ended = await bare.ended;
    const looked = start(path, options);
    await eventually(() => ask('version'));
    const { status, body } = await ask('pprof-cpu?duration=9000', { method: 'POST' });
    expect(status).toBe(201);
    await eventually(async () =>
      expect((await ask(`jobs/${body.data.id}`)).body.data.phase).toMatch(/sampling|recording/),
    );
    looked.child.stdin!.write('end');
    expect(await looked.ended).toEqual(ended);
    expect(looked.output()).toBe(bare.output());
  });

  it('an exception while stacks are asked for', async () => {
    const path = program('asked.cjs', app(ways['an exception']));
    const looked = start(path, options);
    await eventually(() => ask('version'));
    let asking = true;
    const askers = Array.from({ length: 4 }, async () => {
      while (asking) await ask('stack').catch(() => {});
    });
    await ask('stack');
    looked.child.stdin!.write('end');
    expect((await looked.ended).code).toBe(1);
    asking = false;
    await Promise.all(askers);
    expect(looked.output()).not.toContain('debugger');
  });
});

it('a signal to itself that does nothing changes nothing', async () => {
  const path = program('goes-on.cjs', app(`process.kill(process.pid, 'SIGCONT'); console.log('goes on')`));
  const looked = start(path, { stdin: 'pipe' });
  await eventually(() => ask('version'));
  looked.child.stdin!.write('x');
  await looked.says('goes on');
  expect((await ask('stack')).body.data.threads[0].frames).toBeDefined();
});

it('the functions that are stood in for look as they did, and are given back', async () => {
  const path = program(
    'looks.cjs',
    `const { inspect } = require('node:util');
    const look = (name) => [inspect(process[name]), process[name].name, process[name].length,
      JSON.stringify(Object.getOwnPropertyDescriptor(process, name)), 'prototype' in process[name]].join();
    console.log(['reallyExit', '_kill'].map(look).join('|'));`,
  );
  const bare = start(path, { flags: [] });
  await bare.ended;
  const looked = start(path, { flags: ['--require', bed.preload] });
  await looked.ended;
  expect(looked.output()).toBe(bare.output());
});
