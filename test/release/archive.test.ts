/** A stranger's machine: nothing but the released file, installed as krew, tar and a plain PATH have it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isWhole, onlyWhole, releaseFolder } from '../bed/release.ts';
import { kubectlPath } from '../binaries/kubectl.ts';

const run = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const nodeFolder = (name: string) => resolve('node_modules', name, 'bin');

let folder: string;
let home: string;
beforeAll(async () => {
  folder = await releaseFolder();
  home = mkdtempSync(join(tmpdir(), 'nodeops-stranger-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Only what a machine without Node has. */
const bare = { PATH: '/usr/bin:/bin' };

async function unpack(file: string, into: string): Promise<string> {
  const target = join(home, into);
  mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', join(folder, file), '-C', target]);
  return target;
}

describe('the archive', () => {
  it('is installed as krew does it, and found by kubectl', async () => {
    const manifest = parse(readFileSync(join(folder, 'nodeops.yaml'), 'utf8'));
    const platform = manifest.spec.platforms.find(
      ({ selector }: { selector: { matchLabels: object } }) =>
        JSON.stringify(selector.matchLabels) === '{"os":"linux","arch":"amd64"}',
    );
    const file = platform.uri.split('/').at(-1);
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex'),
    ).toBe(platform.sha256);
    const store = await unpack(file, `.krew/store/nodeops/${manifest.spec.version}`);
    const bin = join(home, '.krew/bin');
    mkdirSync(bin, { recursive: true });
    rmSync(join(bin, 'kubectl-nodeops'), { force: true });
    symlinkSync(join(store, platform.bin), join(bin, 'kubectl-nodeops'));
    const env = { PATH: `${bin}:${dirname(await kubectlPath())}:${bare.PATH}`, HOME: home, NODE_OPTIONS: '--broken' };
    const { stdout } = await run('kubectl', ['nodeops', '--help'], { env });
    expect(stdout).toMatch(/^Usage: kubectl nodeops COMMAND/);
    // krew links one file: the plugin brings the other itself
    const installed = await run('kubectl', ['nodeops', 'completion', 'install'], { env });
    expect(installed.stdout).toBe(`${join(bin, 'kubectl_complete-nodeops')}\n`);
    expect((await run(join(bin, 'kubectl_complete-nodeops'), ['why', '--dee'], { env })).stdout).toMatch(/^--deep/);
  });

  it('holds the same as .tar.zst', async ({ skip }) => {
    skip(!isWhole, onlyWhole);
    const name = `kubectl-nodeops_${version}_linux_amd64`;
    const packed = zstdDecompressSync(readFileSync(join(folder, `${name}.tar.zst`)));
    const { stdout } = await run('sh', ['-c', 'gzip -dc "$1" | sha256sum', 'sh', join(folder, `${name}.tar.gz`)]);
    expect(`${createHash('sha256').update(packed).digest('hex')}  -\n`).toBe(stdout);
  });

  it('is at most 35 MB, and the script at most 1 MB', ({ skip }) => {
    skip(!isWhole, onlyWhole);
    const megabytes = (file: string) => readFileSync(join(folder, file)).length / 1e6;
    expect(megabytes(`kubectl-nodeops_${version}_linux_amd64.tar.zst`)).toBeLessThanOrEqual(35);
    expect(megabytes(`kubectl-nodeops_${version}_script.tar.gz`)).toBeLessThanOrEqual(1);
  });

  it('carries licences, completion and a manual page', async () => {
    const store = await unpack(`kubectl-nodeops_${version}_linux_amd64.tar.gz`, 'whole');
    expect(readdirSync(store).sort()).toEqual(
      ['LICENSE', 'LICENSE-NODE', 'README.md', 'THIRD-PARTY-LICENSES', 'completions', 'kubectl-nodeops', 'man'].sort(),
    );
    expect(readFileSync(join(store, 'completions/nodeops.bash'), 'utf8')).toContain('complete -F _nodeops nodeops');
    expect(readFileSync(join(store, 'man/kubectl-nodeops.1'), 'utf8')).toMatch(/^\.TH KUBECTL/);
  });
});

describe('the script', () => {
  it.each(['node22', 'node', 'node26'])('runs on the Node.js of the PATH, through a link (%s)', async (name) => {
    const store = await unpack(`kubectl-nodeops_${version}_script.tar.gz`, `script-${name}`);
    const bin = join(home, `bin-${name}`);
    mkdirSync(bin);
    symlinkSync(join(store, 'kubectl-nodeops'), join(bin, 'kubectl-nodeops'));
    // a folder above says that its files are modules
    writeFileSync(join(home, 'package.json'), '{"type":"module"}');
    const env = { PATH: `${bin}:${nodeFolder(name)}:${bare.PATH}`, NODE_OPTIONS: '--require=/nothing/here.cjs' };
    expect((await run('kubectl-nodeops', ['--help'], { env })).stdout).toMatch(/^Usage: kubectl nodeops COMMAND/);
    const refused = await run('kubectl-nodeops', ['stats', 'pod/x', '--kubeconfig', '/nothing'], { env }).catch(
      (e) => e,
    );
    expect(refused.stderr).toMatch(/\/nothing/);
  });

  it('says in a sentence that Node.js is too old, or is not there', async () => {
    const store = await unpack(`kubectl-nodeops_${version}_script.tar.gz`, 'script-refused');
    const old = { PATH: `${nodeFolder('node20')}:${bare.PATH}` };
    const failed = await run(join(store, 'kubectl-nodeops'), ['--help'], { env: old }).catch((error) => error);
    expect([failed.code, failed.stderr]).toEqual([
      1,
      expect.stringMatching(/^nodeops: needs Node.js 22.19 or newer, and this is v20\.[^\n]*\n$/),
    ]);
    const tools = join(home, 'tools');
    mkdirSync(tools);
    copyFileSync('/bin/sh', join(tools, 'sh'));
    const none = await run(join(tools, 'sh'), [join(store, 'kubectl-nodeops')], { env: { PATH: tools } }).catch(
      (e) => e,
    );
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringMatching(/^nodeops: needs Node.js 22.19 or newer on the PATH[^\n]*\n$/),
    ]);
  });
});
