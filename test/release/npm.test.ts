/** The tarball in a fresh folder, without a registry. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { releaseFolder } from '../bed/release.ts';

const run = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

let project: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  const home = mkdtempSync(join(tmpdir(), 'nodeops-npm-'));
  project = join(home, 'app');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"name":"app","private":true}');
  env = {
    ...{ PATH: `${resolve('node_modules/node/bin')}:${process.env.PATH}`, HOME: home },
    ...{ npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' },
    npm_config_update_notifier: 'false',
  };
  const tarball = join(await releaseFolder(), `nodeops-${version}.tgz`);
  await run('npm', ['install', '--ignore-scripts', tarball], { cwd: project, env });
});
afterAll(() => rmSync(join(project, '..'), { recursive: true, force: true }));

it('npx nodeops list tells of an app that requires nodeops/preload', async () => {
  const code = `require('nodeops/preload'); setInterval(() => {}, 1e6); console.log('up')`;
  const app = spawn('node', ['-e', code], { cwd: project, env: { ...env, NODEOPS_PORT: '0' } });
  try {
    await new Promise((done) => app.stdout.once('data', done));
    const { stdout } = await run('npx', ['nodeops', 'list'], { cwd: project, env });
    expect(stdout).toMatch(new RegExp(`^\\s*${app.pid}\\b`, 'm'));
  } finally {
    app.kill('SIGKILL');
  }
});

it('is imported and required under one name', async () => {
  const text = `import { listen } from 'nodeops'; import { createRequire } from 'node:module';
    console.log(typeof listen, typeof createRequire(import.meta.url)('nodeops').listen)`;
  writeFileSync(join(project, 'both.mjs'), text);
  expect((await run('node', ['both.mjs'], { cwd: project, env })).stdout).toBe('function function\n');
});
