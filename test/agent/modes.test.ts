/** Modes of Node in which our worker or the inspector would end the app: the agent steps aside before it starts, and the app says what it says without one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

type Version = keyof typeof versions;
const all = Object.keys(versions).map(Number) as Version[];
const model = (version: Version) => (version === 20 ? '--experimental-permission' : '--permission');
/** Blocks for longer than a stall that the recorder would look into, and ends by itself. */
const stalls = `
  setTimeout(() => { const since = Date.now(); while (Date.now() - since < 600); console.log('survived'); }, 300);
  setTimeout(() => console.log('done'), 1_800);
  console.log('up');`;

/** Runs it with and without the agent; both say the same and end alike. */
async function unseen(script: string, options: Parameters<typeof start>[1] & { flags: readonly string[] }) {
  const preload = `--require=${bed.preload}`;
  const said = async (env: Record<string, string>) => {
    const app = start(script, { ...options, env: { ...options.env, ...env } });
    await app.says('up');
    if (env.NODE_OPTIONS?.includes(preload)) await expect(ask('stats')).rejects.toThrow('ECONNREFUSED');
    return { ...(await app.ended), output: app.output().replace(/\(node:\d+\)/g, '(node)') };
  };
  const others = options.env?.NODE_OPTIONS ?? '';
  const [bare, guarded] = await Promise.all([said({}), said({ NODE_OPTIONS: `${preload} ${others}` })]);
  expect(bare).toMatchObject({ code: 0, output: expect.stringContaining('done') });
  expect(guarded).toEqual(bare);
  expect(readdirSync(bed.configDir)).toEqual([]);
}

describe.each(all)('on Node %i', (version) => {
  const node = nodeOf(version);

  it.each([
    ['workers and files', ['--allow-worker', '--allow-fs-read=*']],
    ['files', ['--allow-fs-read=*']],
  ])('a permission model that grants %s', (_what, granted) =>
    unseen(program('plain.cjs', stalls), { node, flags: [model(version), ...granted] }),
  );

  it.each(['command line', 'NODE_OPTIONS'])('a startup snapshot named by the %s', async (where) => {
    const blob = join(bed.dir, `snapshot-${version}.blob`);
    const entry = program(
      'snapshot.cjs',
      `require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {${stalls}});`,
    );
    const built = spawnSync(node, ['--snapshot-blob', blob, '--build-snapshot', entry], { encoding: 'utf8' });
    expect(built.status, built.stderr).toBe(0);
    const flags = where === 'command line' ? ['--snapshot-blob', blob] : [];
    const env = where === 'command line' ? {} : { NODE_OPTIONS: `--snapshot_blob=${blob}` };
    // an argument of the app's own stands where a script would
    await unseen('argument', { node, flags, env });
  });
});

describe.each([24, 26] as const)('on Node %i', (version) => {
  const node = nodeOf(version);
  const net = version === 26 ? ['--allow-net'] : [];
  const granted = ['--permission', '--allow-worker', '--allow-inspector', ...net];

  it('a permission model that grants all but /proc', () =>
    unseen(program('plain.cjs', stalls), { node, flags: [...granted, `--allow-fs-read=${bed.dir}/*`] }));

  it('a permission model that grants what the agent needs: it answers', async () => {
    const app = start(program('plain.cjs', stalls), {
      node,
      flags: [...granted, '--allow-fs-read=*', '--require', bed.preload],
    });
    await app.says('up');
    expect((await eventually(() => ask('stats?window=0'))).body.process.pid).toBe(app.pid);
    expect((await app.ended).code).toBe(0);
  });
});

it('a permission model that only reports', () =>
  unseen(program('plain.cjs', stalls), { node: nodeOf(26), flags: ['--permission-audit'] }));

it.each([true, false])('a single executable, made from a snapshot: %s', async (useSnapshot) => {
  const node = resolve(nodeOf(26));
  const folder = join(bed.dir, `sea-${useSnapshot}`);
  mkdirSync(folder);
  const main = `require('node:v8').startupSnapshot.setDeserializeMainFunction(() => {${stalls}});`;
  writeFileSync(join(folder, 'main.cjs'), useSnapshot ? main : stalls);
  writeFileSync(
    join(folder, 'sea.json'),
    JSON.stringify({ main: 'main.cjs', output: 'app', useSnapshot, disableExperimentalSEAWarning: true }),
  );
  const built = spawnSync(node, ['--build-sea', 'sea.json'], { cwd: folder, encoding: 'utf8' });
  expect(built.status, built.stderr).toBe(0);
  const app = join(folder, 'app');
  if (useSnapshot) return unseen('argument', { node: app, flags: [] });
  const plain = start('argument', { node: app, flags: [], env: { NODE_OPTIONS: `--require=${bed.preload}` } });
  await eventually(() => ask('version'));
  expect((await plain.ended).code).toBe(0);
});
