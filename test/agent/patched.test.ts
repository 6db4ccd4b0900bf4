/** An app may put anything in the place of what we use too: it ends as it would have, and says nothing more. */
import { beforeEach, expect, it } from 'vitest';
import { ask, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

const failing = '() => { throw new Error("patched") }';
const patches = {
  clocks: `Date.now = performance.now = process.hrtime = ${failing};`,
  atomics: `for (const name of ['load', 'store', 'wait', 'add']) Atomics[name] = ${failing};`,
  lists: `for (const name of ['map', 'filter', 'reduce', 'some', 'includes']) Array.prototype[name] = ${failing};`,
  collections: `for (const type of [Map, Set, WeakMap, WeakSet]) for (const name of ['get', 'set', 'has', 'add'])
    if (type.prototype[name]) type.prototype[name] = ${failing};`,
};

it.each(
  (Object.keys(versions).map(Number) as (keyof typeof versions)[]).flatMap((version) =>
    Object.keys(patches).map((name) => [version, name as keyof typeof patches] as const),
  ),
)('on Node %i with other %s', async (version, name) => {
  const path = program(
    `${name}.cjs`,
    `const { writeSync } = require('node:fs');
    process.stdin.once('data', () => process.exit(3));
    ${patches[name]}
    for (const event of ['exit', 'warning', 'SIGUSR1']) for (let i = 0; i < 3; i++) process.on(event, () => {});
    // Node adds a listener with it
    if (${name === 'lists'}) Array.prototype.push = ${failing};
    writeSync(1, 'ready\\n');`,
  );
  const app = start(path, { node: nodeOf(version), stdin: 'pipe' });
  await app.says('ready');
  // as long as the window, a timer of ours turns in the app: what becomes of the answer is not what this is about
  for (let answered = false; !answered; )
    answered = await ask('stats?window=100').then(
      () => true,
      () => app.child.exitCode !== null,
    );
  app.child.stdin!.write('end');
  expect((await app.ended).code, app.output()).toBe(3);
  expect(app.output()).toBe('ready\n');
});
