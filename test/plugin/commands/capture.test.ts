import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readProfile } from '../../../src/formats/read.ts';
import { type AgentOptions, TestAgent } from '../captures/agent.ts';
import { cpuProfile, nodeTrace } from '../captures/recorded.ts';
import { Plugin, until } from './plugin.ts';

let plugin: Plugin;
let directory: string;
let agent: TestAgent;
beforeAll(async () => {
  plugin = await Plugin.build();
});
afterAll(() => plugin?.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-commands-'));
  agent = new TestAgent({ bytes: await cpuProfile(), runMs: 200 });
  await agent.listen();
});
afterEach(async () => {
  await agent.down();
  await rm(directory, { recursive: true, force: true });
});

const address = () => `127.0.0.1:${agent.port}`;
const agentDoes = (options: Partial<AgentOptions>) => {
  agent.options = { ...agent.options, ...options };
};

describe('pprof-cpu', () => {
  it('saves, prints path, size and the command that opens it, and exits 0', async () => {
    const { code, stdout, stderr } = await plugin.run(['pprof-cpu', address(), '--duration', '1s'], { cwd: directory });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [name] = await readdir(directory);
    expect(name).toMatch(/^127\.0\.0\.1-\d+\.web\.4711\.\d{8}T\d{6}Z\.cpu\.pb\.gz$/);
    expect(stdout.toString()).toMatch(/^\S+\.cpu\.pb\.gz \(\d+B, 200ms\)\nopen it: \S+ view \S+\.cpu\.pb\.gz\n$/);
    expect(stdout.toString()).toContain(`view ${name}\n`);
    expect(readProfile(await readFile(join(directory, name!))).functions.map((fn) => fn.name)).toContain('burnCpu');
    expect(agent.requests).toContain('POST /v1/pprof-cpu?duration=1000&interval=1000&thread=main');
  });

  it('-o json tells path, bytes and sha256', async () => {
    const args = ['pprof-cpu', address(), '--format', 'cpuprofile', '--output', directory, '-o', 'json'];
    const { code, stdout } = await plugin.run(args);
    expect(code).toBe(0);
    const document = JSON.parse(stdout.toString());
    expect(document).toMatchObject({
      schema: 'nodeops/v1',
      operation: 'pprof-cpu',
      target: { address: address(), container: 'web', pid: 4711 },
      data: { path: expect.stringMatching(/\.cpuprofile$/), bytes: agent.options.bytes.length, stoppedEarly: false },
    });
    expect((await readFile(document.data.path)).equals(agent.options.bytes)).toBe(true);
  });

  it('--output - writes the profile and nothing else to stdout', async () => {
    const { code, stdout, stderr } = await plugin.run(['pprof-cpu', address(), '--output', '-']);
    expect(code).toBe(0);
    expect(readProfile(stdout).functions.map((fn) => fn.name)).toContain('burnCpu');
    expect(stderr).toMatch(/^stdout \(/);
  });

  it('--output takes no form of output', async () => {
    const { code, stderr } = await plugin.run(['pprof-cpu', address(), '--output', 'json']);
    expect(code).toBe(2);
    expect(stderr).toContain('type -o json, or --output ./json');
  });

  it('--tool opens the saved profile', async () => {
    const { code, stdout } = await plugin.run(['pprof-cpu', address(), '--output', directory, '--tool', 'wc -c']);
    const [name] = await readdir(directory);
    const { size } = await stat(join(directory, name!));
    expect(code).toBe(0);
    expect(stdout.toString()).toContain(`${size} ${join(directory, name!)}`);
  });

  it('on a terminal opens a prompt', async () => {
    const { child, ended, stdout } = plugin.onTerminal(['pprof-cpu', address()], { cwd: directory });
    await until('the prompt', () => stdout().includes('(pprof) '));
    child.stdin!.write('top 3\r');
    await until('the report', () => stdout().includes('flat%'));
    child.stdin!.write('quit\r');
    expect((await ended).code).toBe(0);
    expect(stdout()).toContain('burnCpu');
    expect(stdout()).toContain('Type: wall');
  });

  it('--no-prompt on a terminal only saves', async () => {
    const { ended, stdout } = plugin.onTerminal(['pprof-cpu', address(), '--no-prompt'], { cwd: directory });
    expect((await ended).code).toBe(0);
    expect(stdout()).toContain('open it: ');
    expect(stdout()).not.toContain('(pprof)');
  });

  it('--source-map-dir gives functions the names they were written with', async () => {
    const source = `
      function computePrices(untilMicros: number): number {
        let sum = 0;
        while (process.cpuUsage().user < untilMicros) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(sum + i);
        return sum;
      }
      if (computePrices(process.cpuUsage().user + 300_000) < 0) throw new Error();`;
    await writeFile(join(directory, 'prices.ts'), source);
    const outfile = join(directory, 'out/prices.js');
    await build({ entryPoints: [join(directory, 'prices.ts')], outfile, minify: true, sourcemap: true, format: 'esm' });
    await writeFile(join(directory, 'out/package.json'), '{"type":"module"}');
    const profiled = ['--cpu-prof', '--cpu-prof-dir', join(directory, 'prof'), outfile];
    await promisify(execFile)(process.execPath, profiled);
    const [recorded] = await readdir(join(directory, 'prof'));
    const bytes = await readFile(join(directory, 'prof', recorded!));
    expect(bytes.toString()).not.toContain('computePrices');
    agentDoes({ bytes });
    const maps = ['--source-map-dir', join(directory, 'out')];
    const { code, stdout } = await plugin.run(['pprof-cpu', address(), '--output', '-', ...maps]);
    expect(code).toBe(0);
    const found = readProfile(stdout).functions.find(({ name }) => name === 'computePrices');
    expect(found?.file).toMatch(/prices\.ts$/);
    const v8 = await plugin.run(['pprof-cpu', address(), '--output', '-', '--format', 'cpuprofile', ...maps]);
    expect(v8.stdout.toString()).toContain('computePrices');
  });

  it('of several processes writes one file each and a merged one, and says which failed', async () => {
    const other = await new TestAgent({ bytes: await cpuProfile(), pid: 4712 }).listen();
    const refuse = { status: 409, code: 'busy', message: 'another capture runs' };
    const busy = await new TestAgent({ bytes: Buffer.alloc(0), refuse }).listen();
    const targets = [address(), `127.0.0.1:${other.port}`, `127.0.0.1:${busy.port}`, '127.0.0.1:9'];
    try {
      const { code, stdout, stderr } = await plugin.run(['pprof-cpu', ...targets, '--output', directory]);
      expect(code).toBe(3);
      expect(stdout.toString()).toMatch(/merged\.2-processes\.\S+\.cpu\.pb\.gz \(\S+, 2 profiles merged\)/);
      expect(stderr).toContain('127.0.0.1:9');
      expect(stderr).toContain(`127.0.0.1:${busy.port}: another capture runs\n`);
      expect(stderr).toContain('the merged profile lacks 2 of 4');
      expect(await readdir(directory)).toHaveLength(3);
    } finally {
      await Promise.all([other.down(), busy.down()]);
    }
  });
});

describe('signals', () => {
  it('SIGINT once keeps what there is', async () => {
    agentDoes({ runMs: 60_000 });
    const { child, ended } = plugin.start(['pprof-cpu', address(), '--output', directory]);
    // before it knows the capture's name there is nothing to keep
    await until('the capture', () => agent.watched());
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('stopping early') });
    expect(stdout.toString()).toContain('stopped early');
    expect(await readdir(directory)).toHaveLength(1);
  });

  it('SIGINT twice leaves nothing, here and there', async () => {
    agentDoes({ runMs: 60_000, stallAfter: [10] });
    const { child, ended, stderr } = plugin.start(['pprof-cpu', address(), '--output', directory]);
    await until('the capture', () => agent.watched());
    child.kill('SIGINT');
    await until('the transfer', () => agent.requests.some((line) => line.includes('/artifact')));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(stderr()).toContain('abandoned: the pprof-cpu');
    expect(agent.jobs.size).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s abandons the capture', async (signal, exitCode) => {
    agentDoes({ runMs: 60_000 });
    const { child, ended } = plugin.start(['pprof-cpu', address(), '--output', directory]);
    await until('the capture', () => agent.running().length === 1);
    child.kill(signal);
    expect((await ended).code).toBe(exitCode);
    expect(agent.jobs.size).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('a place that takes no file', () => {
  it('is refused before anything is captured', async () => {
    const closed = join(directory, 'closed');
    await mkdir(closed);
    await chmod(closed, 0o555);
    await chmod(directory, 0o755);
    await chmod(join(plugin.path, '..'), 0o755);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const { code, stderr } = await plugin.run(['report', address(), '--output', closed], asNobody);
    expect(code).toBe(1);
    expect(stderr).toContain(`no right to write in ${closed}`);
    expect(agent.requests).toEqual([]);
  });

  /** Runs what follows with a file system of one megabyte in place of the directory, and lists that at the end. */
  const small = () => {
    const script = 'mount -t tmpfs -o size=1m none "$0" && "$@"; code=$?; echo "left: $(ls "$0")" >&2; exit $code';
    return { prefix: ['unshare', '-Urm', 'sh', '-c', script, directory] };
  };

  it('because it is too small is said, with what the agent keeps', async () => {
    agentDoes({ bytes: Buffer.alloc(2_000_000, 'x'), path: '/tmp/nodeops/7/snapshot' });
    const { code, stderr } = await plugin.run(['heapsnapshot', address(), '--output', directory], small());
    expect(code).toBe(1);
    expect(stderr).toMatch(/it takes 1\.9MB, and 1\.0MB are free on the device; make room/);
    expect(stderr).toContain('the agent keeps it for 10m00s as /tmp/nodeops/7/snapshot');
    expect(stderr).toContain('left: \n');
    expect(agent.jobs.size).toBe(1);
  });

  it('because it becomes full is said, and nothing half-written stays', async () => {
    agentDoes({ bytes: Buffer.alloc(2_000_000, 'x'), resumable: false });
    const { code, stderr } = await plugin.run(['heapsnapshot', address(), '--output', directory], small());
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot write \S+\.heapsnapshot\.part: no space left on the device; make room/);
    expect(stderr).toContain('left: \n');
  });
});

describe('trace', () => {
  it('on a terminal with a display opens the browser, and ends with Ctrl-C', async () => {
    agentDoes({ bytes: await nodeTrace() });
    const bin = join(directory, 'bin');
    await mkdir(bin);
    const opened = join(directory, 'opened');
    await writeFile(join(bin, 'xdg-open'), `#!/bin/sh\necho "$1" > ${opened}\n`, { mode: 0o755 });
    const env = { ...process.env, CI: '', DISPLAY: ':0', PATH: `${bin}${delimiter}${process.env.PATH}` };
    const { child, ended, stdout } = plugin.onTerminal(['trace', address()], { cwd: directory, env });
    await until('the page', () => stdout().includes('Ctrl-C ends it'));
    // the browser starts beside us
    const visited = () => readFile(opened, 'utf8').catch(() => '');
    await expect.poll(visited, { timeout: 30_000 }).toContain('\n');
    const url = (await visited()).trim();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/#profileURL=.*trace\.json/);
    expect(stdout()).not.toContain('open that address');
    expect((await fetch(url)).status).toBe(200);
    child.stdin!.write('\u0003');
    expect((await ended).code).toBe(0);
  });

  it('elsewhere saves and names what opens it', async () => {
    agentDoes({ bytes: await nodeTrace() });
    const { code, stdout } = await plugin.run(['trace', address(), '--output', join(directory, 't.json')]);
    expect(code).toBe(0);
    expect(stdout.toString()).toContain(`view ${join(directory, 't.json')}, or https://ui.perfetto.dev`);
    const { stdout: keys } = await promisify(execFile)(process.execPath, [
      '-p',
      `Object.keys(JSON.parse(fs.readFileSync('${join(directory, 't.json')}'))).join()`,
    ]);
    expect(keys.trim()).toBe('traceEvents');
  });
});
