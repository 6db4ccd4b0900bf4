import { describe, expect, test } from 'vitest';
import type { Wait } from '../../src/protocol/waits.ts';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();

const source = `
const net = require('node:net');
function openServer() {
  return net.createServer(() => {}).listen(0, () => console.log('up'));
}
function everyMinute() {
  setInterval(() => {}, 60_000);
}
openServer();
everyMinute();
// churn: pushes requests and one-shot timers out, not the server and the interval
let turns = 0;
(function churn() {
  for (let i = 0; i < 100; i++) setTimeout(() => {}, 1);
  require('node:fs').stat('/', () => {});
  if (++turns < 100) setImmediate(churn);
  else console.log('churned');
})();
process.stdin.resume().on('data', () => { console.log('blocked'); for (;;); });
`;
const waitsOf = async () => {
  const { body } = await ask('waits');
  return body.data as { waits: Wait[]; tracking: { kept: number; limit: number } | null };
};

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])('on Node %i', (version) => {
  test('waits shows where things were created, also while the loop is blocked', async () => {
    await fresh();
    const script = program('tracked.cjs', source);
    const app = start(script, { node: nodeOf(version), env: { NODEOPS_TRACK: 'async' }, stdin: 'pipe' });
    await app.says('churned');
    await eventually(async () => expect((await waitsOf()).waits.length).toBeGreaterThan(1));
    app.child.stdin!.write('block\n');
    await app.says('blocked');
    const { waits, tracking } = await waitsOf();
    const server = waits.find(({ kind }) => kind === 'server');
    const interval = waits.find((wait) => wait.kind === 'timer' && wait.repeats);
    expect(server?.created?.[0]).toMatchObject({ function: 'openServer', file: script, line: 4 });
    expect(interval?.created?.[0]).toMatchObject({ function: 'everyMinute', file: script, line: 7 });
    expect(server?.ageMs).toBeGreaterThan(0);
    expect(tracking?.kept).toBeGreaterThan(400);
    expect(tracking?.kept).toBeLessThanOrEqual(tracking!.limit);
    expect(app.output()).toBe('up\nchurned\nblocked\n');
  });
});

test('nothing is tracked unless it was asked for', async () => {
  await fresh();
  const app = start(program('untracked.cjs', source), { stdin: 'pipe' });
  await app.says('churned');
  const { waits, tracking } = await eventually(async () => {
    const found = await waitsOf();
    expect(found.waits.length).toBeGreaterThan(1);
    return found;
  });
  expect(tracking).toBeNull();
  expect(waits.every(({ created, ageMs }) => created === null && ageMs === null)).toBe(true);
});

test('listen({ track: true }) tracks from then on, and close() forgets', async () => {
  await fresh();
  const app = start(
    program(
      'listening.cjs',
      `const { listen, close } = require(${JSON.stringify(`${bed.dir}/index.cjs`)});
      listen({ track: true }).then(async () => {
        function later() { setInterval(() => {}, 60_000); }
        later();
        console.log('listening');
        process.stdin.once('data', async () => {
          await close();
          console.log(Symbol.for('nodeops.creations') in globalThis ? 'kept' : 'forgotten');
        });
      });`,
    ),
    { flags: [], stdin: 'pipe' },
  );
  await app.says('listening');
  const { waits } = await waitsOf();
  expect(waits.find(({ kind }) => kind === 'timer')?.created?.[0]?.function).toBe('later');
  app.child.stdin!.write('close\n');
  await app.says('forgotten');
});

test('an app with its own prepareStackTrace and frozen Error is not disturbed', async () => {
  await fresh();
  const app = start(
    program(
      'hostile.cjs',
      `Error.prepareStackTrace = () => 'mine';
      setTimeout(() => {}, 1);
      console.log(new Error('x').stack);
      Object.freeze(Error);
      setInterval(() => {}, 60_000);
      require('node:fs').stat('/', () => console.log('alive'));`,
    ),
    { env: { NODEOPS_TRACK: 'async' } },
  );
  await app.says('alive');
  expect(app.output()).toBe('mine\nalive\n');
  await eventually(async () => expect((await ask('waits')).status).toBe(200));
});
