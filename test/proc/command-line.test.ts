/** Against Node itself, of every version here: what its help says, and which script it runs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withValueOf } from '../../scripts/node-options.ts';
import { called, isNodeName, nameOf, nodeArgumentsOf, scriptOf } from '../../src/proc/command-line.ts';
import { optionsWithValue } from '../../src/proc/node-options.ts';

const nodes = ['node18', 'node20', 'node22', 'node', 'node26'];
const directory = mkdtempSync(join(tmpdir(), 'nodeops-command-line-'));
afterAll(() => rmSync(directory, { recursive: true }));
const says = 'console.log(JSON.stringify([process.argv[1], process.execArgv]))';
writeFileSync(join(directory, 'app.js'), says);
writeFileSync(join(directory, 'preload.js'), '');
mkdirSync(join(directory, 'out'));

/** What Node itself takes for its script and for its own options. */
function told(node: string, words: readonly string[]): [string | undefined, string[]] {
  const path = resolve('node_modules', node, 'bin/node');
  return JSON.parse(execFileSync(path, [...words], { cwd: directory, encoding: 'utf8', env: {} }));
}

describe.each(nodes)('%s', (node) => {
  it('has no option with a value that is not in the table', () => {
    expect(withValueOf(node).filter((name) => !optionsWithValue.has(name))).toEqual([]);
  });
});

describe('the script that Node runs, and its own options before it', () => {
  it.each([
    ['app.js'],
    ['--cpu-prof', '--cpu-prof-dir', 'out', 'app.js', 'a', '--require', 'b'],
    ['--cpu-prof', '--cpu_prof_dir', 'out', 'app.js'],
    ['--disable-proto', 'delete', 'app.js'],
    ['--disable-proto=delete', './app.js'],
    ['-r', './preload.js', '--title', 'worker', 'app.js'],
    ['--require', './preload.js', '-C', 'development', '--conditions', 'x', 'app.js'],
    ['--max-http-header-size', '16384', '--stack-trace-limit=50', 'app.js'],
    ['--unhandled-rejections', 'strict', '--no-warnings', '--', 'app.js'],
    ['--enable-source-maps', '--icu-data-dir', 'out', '--tls-cipher-list', 'DEFAULT', 'app.js', '--', 'x'],
    ['--max-old-space-size=200', '--expose-gc', 'app.js'],
  ])('%j %j %j %j %j %j %j', (...words) => {
    const argv = ['node', ...words.filter((word) => word !== undefined)];
    const [script, options] = told('node', argv.slice(1));
    expect(resolve(directory, scriptOf(argv)!)).toBe(script);
    expect(nodeArgumentsOf(argv)).toEqual(options.filter((word) => word !== '--'));
  });

  it.each([
    ['-e', says],
    ['--eval', says, 'app.js'],
    ['-p', '1', 'app.js'],
    ['--title', 'x', '-e', says],
    ['-', 'app.js'],
    ['--run', 'build'],
    [],
  ])('there is none in node %j', (...words) => {
    expect(scriptOf(['node', ...words])).toBeUndefined();
  });
});

it('a process is called by its script, a title, or its executable', () => {
  expect(nameOf(['node', '--cpu-prof-dir', '/tmp', '/srv/app.js'])).toBe('app.js');
  expect(nameOf(['api: worker 3'])).toBe('api');
  expect(nameOf(['/usr/bin/node', '-e', '1'])).toBe('node');
  expect(called(['node', 'app.js'], '/usr/bin/node', '/srv')).toEqual({ name: 'app.js', path: '/srv/app.js' });
  expect(called(['node', '-e', '1'], '/usr/bin/node', '/srv')).toEqual({ name: 'node', path: '/usr/bin/node' });
  // process.title = 'orders-worker'
  expect(called(['orders-worker'], '/usr/bin/node', '/srv')).toEqual({ name: 'orders-worker', path: '/usr/bin/node' });
  // a single executable of one's own
  expect(called(['./orders', '-v'], '/srv/orders', '/srv')).toEqual({ name: 'orders', path: '/srv/orders' });
});

it.each(['node', 'nodejs', 'node20', 'node-22.3', 'node.exe', 'node (deleted)'])('%s is Node', (name) =>
  expect(isNodeName(name)).toBe(true),
);
it.each(['node_exporter', 'node-exporter', 'nodemon', 'node-problem-detector', 'deno'])('%s is another', (name) =>
  expect(isNodeName(name)).toBe(false),
);
