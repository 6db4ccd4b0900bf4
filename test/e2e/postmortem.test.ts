import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
let directory = '';
/** Crashes the first time, and lives when there is a record of that. */
const crashing = `
  const fs = require('node:fs');
  const folder = '/artifacts/nodeops-' + process.getuid() + '/crash';
  const crashed = fs.existsSync(folder) && fs.readdirSync(folder).some((name) => name.endsWith('.json'));
  setTimeout(function payOut() { if (!crashed) throw new Error('account is empty'); }, 1200);
  setInterval(() => {}, 1000);
`;

beforeAll(async () => {
  bed = await openBed();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-postmortem-'));
  const app = container(bed, { script: crashing, env: { NODEOPS_ARTIFACTS_DIR: '/artifacts' } }) as {
    volumeMounts: object[];
  };
  app.volumeMounts.push({ name: 'artifacts', mountPath: '/artifacts' });
  await bed.create(
    pod('crashing-0', [app], {
      securityContext: { fsGroup: 1000 },
      volumes: [
        { name: 'nodeops', configMap: { name: 'nodeops-agent' } },
        { name: 'artifacts', emptyDir: {} },
      ],
    }),
  );
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a pod that crashed and was restarted, through the real kubectl', () => {
  it('tells exit code, exception and stack, and saves the record', { timeout: 90_000 }, async () => {
    const output = join(directory, 'crash');
    const endAt = Date.now() + 75_000;
    let told = await bed.nodeops(['postmortem', 'pod/crashing-0', '--output', output]);
    while (!told.stdout.includes('saved: ') && Date.now() < endAt) {
      await new Promise((done) => setTimeout(done, 2_000));
      told = await bed.nodeops(['postmortem', 'pod/crashing-0', '--output', output]);
    }
    expect(told.stdout).toMatch(/^container app: running, restarted (?:once|\d+ times)$/m);
    expect(told.stdout).toMatch(/^ {2}last end: Error, exit code 1, /m);
    expect(told.stdout).toMatch(/verdict: it exited with code 1, as Node does after an exception that nobody caught/);
    expect(told.stdout).toContain('an exception was not caught: Error: account is empty');
    expect(told.stdout).toMatch(/^ {4}at Timeout\.payOut/m);
    expect(await readdir(output)).toEqual([expect.stringMatching(/^crash-.*-uncaught-exception-\d+\.json$/)]);
    expect(told.code).toBe(0);
    const list = await bed.nodeops(['artifacts', 'list', 'crashing-0', '-o', 'name']);
    expect(list.stdout).toMatch(/^crash\/.*-uncaught-exception-\d+\.json\n$/);
    // through the container's own Node.js, whatever its agent does
    const attached = await bed.nodeops(['artifacts', 'list', 'crashing-0', '-o', 'name', '--attach=exec']);
    expect(attached.stdout, attached.stderr).toBe(list.stdout);
  });
});

describe('a pod in which nobody can be asked', () => {
  it('is told of by the cluster, and its records are not said to be none', { timeout: 90_000 }, async () => {
    const ended = container(bed, { script: 'process.exit(3)' });
    await bed.create(pod('ended-0', [ended], { restartPolicy: 'Never' }));
    const told = await vi.waitFor(
      async () => {
        const result = await bed.nodeops(['postmortem', 'pod/ended-0']);
        expect(result.stdout).toMatch(/exit code 3, /);
        return result;
      },
      { timeout: 60_000, interval: 500 },
    );
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/^whether it left crash records is not known: /m);
    expect(told.stderr).toMatch(
      /^note: what its processes kept cannot be fetched: .*; ask again while .*nodeops\.dev\/sidecar/m,
    );
    const document = JSON.parse((await bed.nodeops(['postmortem', 'pod/ended-0', '-o', 'json'])).stdout);
    expect(document.records).toBeNull();
  });
});

describe('a pod whose containers crash for good, through the sidecar', () => {
  const volume = '/nodeops-artifacts';
  const env = { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_ARTIFACTS_SIZE: '64Mi' };
  const target = 'pod/torn-0';

  /** As the injector makes it: the sidecar mounts the whole volume, each container its own folder. */
  function writing(name: string, script: string): object {
    const made = container(bed, { name, script, env }) as { volumeMounts: object[] };
    made.volumeMounts.push({ name: 'artifacts', mountPath: volume, subPath: name });
    return made;
  }

  function sidecar(): object {
    const made = container(bed, {
      name: 'nodeops-sidecar',
      script: '',
      agent: false,
      env: { ...env, NODEOPS_CONTAINER: 'nodeops-sidecar', NODEOPS_CONFIG_DIR: `${volume}/config` },
    });
    return {
      ...made,
      args: ['/nodeops-sidecar/sidecar.cjs'],
      restartPolicy: 'Always',
      volumeMounts: [
        { name: 'sidecar', mountPath: '/nodeops-sidecar', readOnly: true },
        { name: 'artifacts', mountPath: volume },
      ],
    };
  }

  beforeAll(async () => {
    const config = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'nodeops-sidecar' },
      data: { 'sidecar.cjs': await readFile('dist/sidecar.cjs', 'utf8') },
    };
    const throwing = `setTimeout(function payIn() { throw new Error('ledger is torn'); }, 1200)`;
    const killed = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000)`;
    await bed.create(
      config,
      pod('torn-0', [writing('app', throwing), writing('worker', killed)], {
        initContainers: [sidecar()],
        shareProcessNamespace: true,
        securityContext: { fsGroup: 1000 },
        volumes: [
          { name: 'nodeops', configMap: { name: 'nodeops-agent' } },
          { name: 'sidecar', configMap: { name: 'nodeops-sidecar' } },
          { name: 'artifacts', emptyDir: {} },
        ],
      }),
    );
  });

  it('tells of each, and saves the records', { timeout: 150_000 }, async () => {
    let attempt = 0;
    const told = await vi.waitFor(
      async () => {
        const output = join(directory, `torn-${attempt++}`);
        const { code, stdout, stderr } = await bed.nodeops(['postmortem', target, '--output', output]);
        expect(stdout, stderr).toMatch(/^container app: CrashLoopBackOff, restarted /m);
        expect(stdout, stderr).toMatch(/ {2}uncaught-exception {2}app\/\d+$/m);
        expect(stdout, stderr).toMatch(/ {2}killed {2}worker\/\d+$/m);
        return { code, stdout, output };
      },
      { timeout: 120_000, interval: 1_000 },
    );
    expect(told.code).toBe(0);
    expect(told.stdout).toContain('an exception was not caught: Error: ledger is torn');
    expect(told.stdout).toMatch(/^ {4}at Timeout\.payIn/m);
    const files = await readdir(told.output);
    expect(files).toContainEqual(expect.stringMatching(/^crash-.*-uncaught-exception-\d+\.json$/));
    expect(files).toContainEqual(expect.stringMatching(/^crash-.*-killed-\d+\.json$/));
  });

  it('lists, saves whole and removes what the containers kept', { timeout: 300_000 }, async () => {
    interface Item {
      name: string;
      bytes: number;
      container?: string;
      process: { container: string };
    }
    // its agent answers while it runs, the sidecar in between: which of both may change under a question
    const patience = { timeout: 90_000, interval: 500 };
    const list = (...more: string[]): Promise<Item[]> =>
      vi.waitFor(async () => {
        const { code, stdout, stderr } = await bed.nodeops(['artifacts', 'list', target, '-o', 'json', ...more]);
        expect(code, stderr).toBe(0);
        return JSON.parse(stdout).items;
      }, patience);
    const of = ({ container: own, process }: Item) => own ?? process.container;
    const both = async () => expect([...new Set((await list()).map(of))].sort()).toEqual(['app', 'worker']);
    await vi.waitFor(both, patience);
    const bySidecar = async () => expect((await list()).map((item) => item.container)).toContain('app');
    await vi.waitFor(bySidecar, patience);
    const items = await list('-c', 'app');
    expect(items.length).toBeGreaterThan(0);
    expect(items.map(of)).toEqual(items.map(() => 'app'));
    const { name, bytes } = items[0]!;
    const path = await vi.waitFor(async () => {
      const got = await bed.nodeops(['artifacts', 'get', target, name, '--output', directory, '-o', 'name']);
      expect(got.code, got.stderr).toBe(0);
      return got.stdout.trim();
    }, patience);
    expect((await stat(path)).size).toBe(bytes);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ process: { container: 'app' } });
    const gone = async () => {
      await bed.nodeops(['artifacts', 'rm', target, name]);
      expect((await list('-c', 'app')).map((item) => item.name)).not.toContain(name);
    };
    await vi.waitFor(gone, patience);
  });
});
