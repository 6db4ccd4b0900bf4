/** What pipelines run, run as they do: the released plugin from where releases are, on a machine without Node. */
import { execFile } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { releaseFolder } from '../bed/release.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const archive = `kubectl-nodeops_${version}_linux_amd64.tar.gz`;

let server: Server;
let workspace: string;
let releases: string;
beforeAll(async () => {
  const folder = await releaseFolder();
  server = createServer(({ url = '' }, response) => {
    const [, at, name] = url.split('/');
    if (at === 'v9.9.9' && name === 'SHA256SUMS')
      response.end(`${'0'.repeat(64)}  ${archive.replace(version, '9.9.9')}\n`);
    else if (at === 'v9.9.9') response.end('not the archive');
    else if (at === `v${version}` && existsSync(join(folder, name!)))
      createReadStream(join(folder, name!)).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  workspace = mkdtempSync(join(tmpdir(), 'nodeops-pipeline-'));
  mkdirSync(join(workspace, 'scripts'));
  symlinkSync(resolve('scripts/release'), join(workspace, 'scripts/release'));
});
afterAll(() => {
  server.close();
  rmSync(workspace, { recursive: true, force: true });
});

/** Runs a script of a pipeline; no cluster is there, so smoke cannot check. */
function script(text: string, env: Record<string, string> = {}, shell = ['bash', '-eo', 'pipefail', '-c']) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
    const options = {
      cwd: workspace,
      env: { PATH: '/usr/bin:/bin', HOME: workspace, KUBECONFIG: '/nothing', NODEOPS_RELEASES: releases, ...env },
    };
    execFile(shell[0]!, [...shell.slice(1), text], options, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** What smoke says where no cluster is to be had. */
const couldNotCheck = { code: 2, stderr: expect.stringMatching(/no cluster to talk to/) };

const documented = (name: string) =>
  new RegExp(`<!-- test: ${name} -->\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(
    readFileSync('docs/commands/smoke.md', 'utf8'),
  )![1]!;

it('the action installs the release of its version, and runs it', async () => {
  const { steps } = parse(readFileSync('action.yml', 'utf8')).runs;
  const [install] = steps;
  const pathFile = join(workspace, 'path');
  writeFileSync(pathFile, '');
  const env = {
    ...{ GITHUB_PATH: pathFile, RUNNER_TEMP: join(workspace, 'temp'), NODEOPS_ACTION_PATH: resolve('.') },
    NODEOPS_INPUT_EXECUTABLE: 'kubectl-nodeops',
  };
  expect(await script(install.run, env)).toMatchObject({ code: 0 });
  const added = readFileSync(pathFile, 'utf8').trim();
  const again = { ...env, PATH: `${added}:/usr/bin:/bin`, NODEOPS_RELEASES: 'http://127.0.0.1:9' };
  expect(await script(install.run, again)).toMatchObject({ code: 0, stdout: '' });
  const smoke = steps.find(({ id }: { id: string }) => id === 'smoke');
  const inputs = Object.fromEntries(Object.keys(smoke.env).map((name) => [name, '']));
  const output = join(workspace, 'output');
  const outcome = await script(smoke.run, {
    ...inputs,
    ...again,
    NODEOPS_INPUT_TARGETS: 'pod/x',
    GITHUB_OUTPUT: output,
  });
  expect(outcome).toMatchObject(couldNotCheck);
  expect(readFileSync(output, 'utf8')).toBe('exit-code=2\n');
});

it('GitLab runs the documented job', async () => {
  const { smoke } = parse(documented('gitlab'));
  const env = { ...smoke.variables, CI_PROJECT_DIR: workspace };
  expect(await script(smoke.script.join('\n'), env)).toMatchObject(couldNotCheck);
});

it('Jenkins runs the documented stage', async () => {
  const text = /sh '''(.*?)'''/s.exec(documented('jenkins'))![1]!;
  expect(await script(text, { WORKSPACE: workspace }, ['sh', '-xe', '-c'])).toMatchObject(couldNotCheck);
});

it('what does not fit its checksum is not installed', async () => {
  const { code, stderr } = await script(`scripts/release/install.sh wrong 9.9.9`);
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/^nodeops: \S+ is not what SHA256SUMS says: [0-9a-f]{64}, not 0{64}\n$/),
  ]);
  expect(existsSync(join(workspace, 'wrong'))).toBe(false);
});

it('a version that was never released is said', async () => {
  const { code, stderr } = await script(`scripts/release/install.sh none 0.0.1`);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/nodeops: no release 0\.0\.1 at http:/)]);
});
