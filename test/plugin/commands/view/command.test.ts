import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { made } from '../../../formats/heap/made.ts';
import { cpuProfile, heapProfile, nodeTrace } from '../../captures/recorded.ts';
import { Plugin, until } from '../plugin.ts';

let plugin: Plugin;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-view-'));
  plugin = await Plugin.build();
});
afterAll(async () => {
  await plugin?.close();
  await rm(directory, { recursive: true, force: true });
});

async function saved(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
}

describe('view', () => {
  it('prints the largest functions where nobody can answer a prompt', async () => {
    const { code, stdout } = await plugin.run(['view', await saved('a.cpuprofile', await cpuProfile())]);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/^Type: wall\n[\s\S]*flat%[\s\S]*burnCpu/);
  });

  it('tells profiles by their content', async () => {
    const { code, stdout } = await plugin.run(['view', await saved('unnamed', await heapProfile())]);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/^Type: inuse_space\n/);
  });

  it('asks on a terminal, and web serves the profile until the prompt ends', async () => {
    const path = await saved('b.cpuprofile', await cpuProfile());
    const { child, ended, stdout } = plugin.onTerminal(['view', path], { env: { ...process.env, DISPLAY: '' } });
    await until('the prompt', () => stdout().includes('(pprof) '));
    child.stdin!.write('web\r');
    await until('the page', () => /http:\S+/.test(stdout()));
    const [url] = /http:\S+/.exec(stdout())!;
    expect((await fetch(url)).status).toBe(200);
    child.stdin!.write('no such thing\r');
    await until('the answer', () => stdout().includes('unrecognized command'));
    child.stdin!.write('half a line\u0003peek burn\r');
    await until('the report', () => stdout().includes('calls%'));
    child.stdin!.write('\u0004');
    expect((await ended).code).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('answers what comes on stdin where there is no terminal, line by line', async () => {
    const path = await saved('piped.cpuprofile', await cpuProfile());
    const { child, ended, stdout, stderr } = plugin.start(['view', path]);
    child.stdin!.end('lines 2\n\npackages\nflame\nfocus app\nwhat\nquit\ntraces\n');
    expect((await ended).code).toBe(2);
    expect(stdout()).toMatch(/burnCpu \S+:\d+\n[\s\S]*\(app\)[\s\S]*█[\s\S]*flat%/);
    expect(stderr()).toContain('unrecognized command: "what"');
  });

  it('prints the events of a trace where there is no terminal', async () => {
    const { code, stdout } = await plugin.run(['view', await saved('u.trace.json', await nodeTrace())]);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/^Type: trace\nDuration: \S+, \d+ events of \d+ names\n/);
  });

  it('serves a trace until Ctrl-C', async () => {
    const { child, ended, stderr } = plugin.start(['view', await saved('t.trace.json', await nodeTrace()), '--web']);
    await until('the page', () => stderr().includes('Ctrl-C ends it'));
    const [url] = /http:\S+/.exec(stderr())!;
    expect(stderr()).toContain('open that address in a browser');
    expect((await fetch(new URL('profile/t.trace.json', url))).headers.get('content-length')).not.toBe('0');
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });

  it.each([
    ['', 'it is empty'],
    ['{"snapshot":{"meta":{}}}', 'x: the heap snapshot is damaged: its "node_fields" is no short list'],
    ['{\n\n"header":{"reportVersion":3}}', 'is a diagnostic report'],
    ['hello', 'is no profile and no trace'],
    ['{"nodes":[', 'the CPU profile is cut off after 10 bytes'],
  ])('says what cannot be looked at: %j', async (content, message) => {
    const { code, stderr } = await plugin.run(['view', await saved('x', content)]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('sums up a heap snapshot, answers lines of a pipe, and is a document on demand', async () => {
    const json = made(
      [
        ['synthetic', '', 0],
        ['object', 'global', 8],
        ['object', 'Map', 16],
        ['array', '', 32],
        ['object', 'Session', 5000],
      ],
      [
        [0, 'shortcut', 1, 1],
        [1, 'property', 'cache', 2],
        [2, 'internal', 'table', 3],
        [3, 'internal', 5, 4],
      ],
    );
    const path = await saved('h.heapsnapshot', JSON.stringify(json));
    const piped = plugin.start(['view', path]);
    piped.child.stdin!.end('path @9\nnothing\nquit\npath @5\n');
    const { code, stdout } = await piped.ended;
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(
      /^Heap snapshot: 4\.9KB in 5 objects[\s\S]*global\.cache \(Map\) → value → Session\n/,
    );
    expect(stdout.toString()).toMatch(/unrecognized command: "nothing"[^\n]*\n$/);
    // a pipe that says nothing and stays open is not waited for
    const open = plugin.start(['view', path]);
    expect((await open.ended).code).toBe(0);
    const document = JSON.parse((await plugin.run(['view', path, '-o', 'json'])).stdout.toString());
    expect(document).toMatchObject({ kind: 'HeapSnapshot', nodes: 5, totalBytes: 5056 });
    expect(document.dominators[0]).toEqual({ id: 5, class: 'Map', retainedBytes: 5048, path: 'global.cache (Map)' });
    expect((await plugin.run(['view', path, '--web'])).stderr).toContain('is shown in the terminal');
  });

  it('asks about a heap snapshot on a terminal', async () => {
    const json = made(
      [
        ['synthetic', '', 0],
        ['object', 'global', 8],
      ],
      [[0, 'shortcut', 1, 1]],
    );
    const { child, ended, stdout } = plugin.onTerminal(['view', await saved('t.heapsnapshot', JSON.stringify(json))]);
    await until('the prompt', () => stdout().includes('(heap) '));
    child.stdin!.write('show @3\r');
    await until('the answer', () => stdout().includes('global @3'));
    child.stdin!.write('\u0004');
    expect((await ended).code).toBe(0);
  });

  it('says when there is no such file, or no file was named', async () => {
    expect((await plugin.run(['view', join(directory, 'none')])).stderr).toContain('it does not exist');
    expect((await plugin.run(['view', directory])).stderr).toContain('it is a directory');
    expect((await plugin.run(['view'])).code).toBe(2);
  });

  it('--tool says when it is not installed', async () => {
    const path = await saved('c.cpuprofile', await cpuProfile());
    const { code, stderr } = await plugin.run(['view', path, '--tool', 'no-such-tool-anywhere pprof']);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot run 'no-such-tool-anywhere'");
  });
});
