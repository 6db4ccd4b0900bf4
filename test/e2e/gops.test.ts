import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { heapToPprof } from '../../src/agent/gops/pprof.ts';
import { said } from '../plugin/transport/gops/go-agent.ts';
import { type Bed, noShell, openBed } from './bed.ts';
import { container, healthy, leaking, pod } from './pods.ts';

/** An app below a shell, as `npm start` makes it, with a child process of its own. */
const family = `
  const { spawn } = require('node:child_process');
  if (process.env.CHILD) setInterval(() => {}, 1000);
  else {
    const env = { ...process.env, CHILD: '1' };
    spawn('sh', ['-c', '"$0" -e "setInterval(() => {}, 1000)"; :', process.execPath], { env, stdio: 'inherit' });
    setInterval(() => {}, 1000);
  }
`;
const frame = (functionName: string) => ({ functionName, url: 'main.go', lineNumber: 1 });
const heap = heapToPprof({
  head: {
    callFrame: frame('(root)'),
    selfSize: 0,
    children: [{ callFrame: frame('main.main'), selfSize: 4096, children: [] }],
  },
});
/** Speaks gops' bytes as the agent of a Go service does. */
const goService = `
  const said = ${JSON.stringify({ 1: said.stack, 2: 'ok', 3: said.memstats, 4: said.version, 7: said.stats })};
  const heap = Buffer.from(${JSON.stringify(Buffer.from(heap).toString('base64'))}, 'base64');
  require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', ([byte]) => {
      const answer = byte === 5 ? heap : said[byte];
      if (answer === undefined) socket.resetAndDestroy();
      else socket.end(answer);
    });
  }).listen(6060, '127.0.0.1');
`;

let bed: Bed;
let shell: boolean;
beforeAll(async () => {
  bed = await openBed();
  ({ shell } = await bed.imageFacts());
  if (shell) await bed.create(pod('family-0', [container(bed, { name: 'web', script: family })]));
  await bed.create(
    pod('two-0', [container(bed, { name: 'web', script: healthy }), container(bed, { name: 'jobs', script: leaking })]),
    pod('go-svc', [container(bed, { script: goService, agent: false })]),
  );
  await bed.ready('two-0', 'go-svc', ...(shell ? ['family-0'] : []));
  if (shell) await bed.answering(2, 'family-0');
  await bed.answering(2, 'two-0');
  const patiently = { timeout: 40_000, interval: 300 };
  const go = () => bed.nodeops(['version', 'go-svc', '--port', '6060']);
  await vi.waitFor(async () => expect((await go()).code).toBe(0), patiently);
}, 240_000);
afterAll(() => bed?.close());

describe('gops’ three views of a pod', () => {
  it('list names its processes', async ({ skip }) => {
    skip(!shell, noShell);
    const { code, stdout } = await bed.nodeops(['list', 'pod/family-0']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^CONTAINER +PID +PPID +NAME +NODE/);
    expect(stdout.match(/^web /gm)).toHaveLength(2);
  });

  it('tree draws what stands between them', async ({ skip }) => {
    skip(!shell, noShell);
    const { code, stdout } = await bed.nodeops(['tree', 'pod/family-0']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\.\.\.\n.*\[\*\] {2}\d+ \(node\) \{v\d+\..*\n.*└── \d+ \(sh\)\n.*└── \[\*\] {2}\d+ \(node\)/,
    );
  });

  it('tree keeps containers apart', async () => {
    const { stdout } = await bed.nodeops(['tree', 'two-0']);
    expect(stdout).toMatch(/^[├└]── web$/m);
    expect(stdout).toMatch(/^[├└]── jobs$/m);
  });

  it('process sums one up, CPU over a time included', async () => {
    const { code, stdout } = await bed.nodeops(['process', 'two-0', '-c', 'web', '--duration', '300ms']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^parent PID: \d+\nthreads: \d+\nmemory usage: .*%\ncpu usage: .*%\ncpu usage \(300ms\): .*%\n/,
    );
    expect(stdout).toMatch(/^local\/remote: (?:\[::\]|0\.0\.0\.0):3000 <-> :0 \(LISTEN\)$/m);
  });
});

describe('a Go service in a pod', () => {
  const go = (...args: string[]) => bed.nodeops([args[0]!, 'pod/go-svc', '--port', '6060', ...args.slice(1)]);

  it.each(['stats', 'stack', 'memstats', 'version'] as const)('%s is what gops prints', async (name) => {
    expect(await go(name)).toEqual({ code: 0, stdout: said[name], stderr: '' });
  });

  it('pprof-heap brings its profile home', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'nodeops-go-'));
    const { code, stdout, stderr } = await go('pprof-heap', '--output', directory);
    const files = await readdir(directory);
    await rm(directory, { recursive: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(files).toEqual([expect.stringMatching(/^go-svc\.\d{8}T\d{6}Z\.heap\.pb\.gz$/)]);
    expect(stdout).toContain('open it: ');
  });
});
