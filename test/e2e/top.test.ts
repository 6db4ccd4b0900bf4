/** `top` on a terminal, over pods that come and go. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readProfile } from '../../src/formats/read.ts';
import { type Bed, openBed } from './bed.ts';
import { blocked, container, healthy, pod } from './pods.ts';
import { openTerminal, type Terminal } from './terminal.ts';

let bed: Bed;
let directory: string;
let terminal: Terminal | undefined;
const selected = ['top', '-l', 'tier=top'];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-e2e-top-'));
  bed = await openBed();
  const labels = { tier: 'top' };
  await bed.create(
    pod('quiet-0', [container(bed, { script: healthy })], {}, labels),
    pod('quiet-1', [container(bed, { script: healthy })], {}, labels),
    pod('blocked-0', [container(bed, { script: blocked })], {}, labels),
  );
  await bed.ready('quiet-0', 'quiet-1', 'blocked-0');
  await vi.waitFor(async () => expect((await bed.nodeops(['version', '-l', 'tier=top'])).code).toBe(0), {
    timeout: 50_000,
    interval: 200,
  });
});
afterEach(async () => {
  terminal?.kill();
  await terminal?.ended;
});
afterAll(async () => {
  await bed?.close();
  await rm(directory, { recursive: true, force: true });
});

const open = (columns: number, rows: number, options: { env?: Record<string, string>; args?: string[] } = {}) =>
  (terminal = openTerminal(bed, [...selected, ...(options.args ?? [])], {
    columns,
    rows,
    cwd: directory,
    ...(options.env ? { env: options.env } : {}),
  }));

describe('top on a terminal', () => {
  it.each([60, 120])('shows the busiest first within %i columns, and gives the terminal back', async (columns) => {
    const top = open(columns, 20);
    await top.shows(/^blocked-0 app\/1 +\d{2,3}%/m);
    await top.shows(/^quiet-0 app\/1 +\d+%/m);
    const lines = await top.shows(/^quiet-1 app\/1 +\d+%/m);
    expect(lines[0]).toMatch(/^nodeops top - \d\d:\d\d:\d\d, 3 processes, by cpu$/);
    const order = lines.filter((line) => / app\/1 /.test(line)).map((line) => line.split(' ')[0]);
    expect(order[0]).toBe('blocked-0');
    expect(order.toSorted()).toEqual(['blocked-0', 'quiet-0', 'quiet-1']);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.some((line) => line.includes('HANDLES'))).toBe(columns === 120);
    top.type('q');
    expect(await top.ended).toBe(0);
    // the screen as it was, and the cursor back
    expect(top.output()).toContain('\u001b[?1049h');
    expect(top.output()).toMatch(/\u001b\[\?1049l[\s\S]*$/);
    expect(top.output().lastIndexOf('\u001b[?25h')).toBeGreaterThan(top.output().lastIndexOf('\u001b[?25l'));
  });

  it('sorts by the keys it names, pauses, and follows a change of size', async () => {
    const top = open(120, 20);
    await top.shows(/by cpu/);
    for (const [key, title] of [
      ['m', 'rss/limit'],
      ['d', 'delay-p99'],
      ['a', 'name'],
    ] as const) {
      top.type(key);
      await top.shows(new RegExp(`by ${title}`));
    }
    top.type(' ');
    await top.shows(/paused/);
    top.type(' ');
    await vi.waitFor(() => expect(top.screen().join()).not.toContain('paused'), { timeout: 50_000 });
    top.resize(50, 12);
    await vi.waitFor(
      () => {
        const lines = top.screen();
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
        expect(lines.join()).toContain('blocked-0');
      },
      { timeout: 50_000 },
    );
  });

  it('s shows the stack of the selected process, esc closes it', async () => {
    const top = open(120, 30);
    await top.shows(/^blocked-0 app\/1 +\d{2,3}%/m);
    top.type('s');
    await top.shows(/stack of blocked-0 app\/1 \(esc[\s\S]*at innermost/);
    top.type('\u001b');
    await top.shows(/q quit/);
  });

  it('p takes a CPU profile of it, saves it here and shows its largest functions', async () => {
    const top = open(120, 40);
    await top.shows(/^blocked-0 app\/1 +\d{2,3}%/m);
    // also while the screen is paused: the row shown is then an older one
    top.type(' ');
    await top.shows(/, paused$/m);
    top.type('p');
    await top.shows(/saved blocked-0\.app\.1\.\S+\.cpu\.pb\.gz[\s\S]*flat%[\s\S]*innermost/, 30_000);
    const [file] = (await readdir(directory)).filter((name) => name.endsWith('.cpu.pb.gz'));
    const profile = readProfile(await readFile(join(directory, file!)));
    expect(profile.facts.durationNanos).toBeGreaterThan(4e9);
    expect(profile.functions.map(({ name }) => name)).toContain('innermost');
    expect(profile.labelSets.flat()).toContainEqual({ key: 'pod', text: 'blocked-0' });
  });

  it('shows pods that come, and drops those that go', async () => {
    const top = open(120, 20);
    await top.shows(/3 processes/);
    // no node gets it before the gate is gone: it is pending for as long as it takes to be seen so
    const gate = { schedulingGates: [{ name: 'nodeops.test/seen' }] };
    await bed.create(pod('late-0', [container(bed, { script: healthy })], gate, { tier: 'top' }));
    try {
      await top.shows(/^late-0 +.*is pending/m, 40_000);
      const opened = await bed.kubectl(['patch', 'pod', 'late-0', '-p', '{"spec":{"schedulingGates":null}}']);
      expect(opened).toMatchObject({ code: 0 });
      await top.shows(/^late-0 app\/1 +\d+%/m, 90_000);
    } finally {
      await bed.kubectl(['delete', 'pod/late-0', '--wait=true'], { timeoutMs: 60_000 });
    }
    await vi.waitFor(() => expect(top.screen().join('\n')).not.toContain('late-0'), { timeout: 50_000 });
    await top.shows(/3 processes/);
  }, 240_000);

  /** Ends the app of a pod that was restarted so often. */
  async function ends(name: string, restarts: number): Promise<void> {
    const path = 'jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}';
    const state = async () => (await bed.kubectl(['get', 'pod', name, '-o', path])).stdout;
    const patiently = { timeout: 60_000, interval: 200 };
    const alive = `${restarts} true`;
    await vi.waitFor(async () => expect(await state()).toBe(alive), patiently);
    // what runs beside a container's first process is killed with it, perhaps before its end was told
    const said = await bed.runIn(name, "process.kill(1, 'SIGTERM')").catch(String);
    await vi.waitFor(async () => expect(await state(), said).not.toBe(alive), patiently);
  }

  it('says what does not answer, and reconnects', async () => {
    const name = 'restarting-0';
    const dying = `${healthy}; process.on('SIGTERM', () => process.exit(1))`;
    await bed.create(pod(name, [container(bed, { script: dying })], { restartPolicy: 'Always' }, { tier: 'top' }));
    try {
      const top = open(120, 20);
      await top.shows(/^restarting-0 app\/1 +\d+%/m, 40_000);
      // the kubelet restarts it at once the first time, and ten seconds later the second
      await ends(name, 0);
      await ends(name, 1);
      await top.shows(/without answer/, 40_000);
      await top.shows(/^restarting-0 app\/1 +\d+%/m, 60_000);
    } finally {
      await bed.kubectl(['delete', 'pod', name, '--wait=true'], { timeoutMs: 60_000 });
    }
  }, 240_000);

  it('uses no color with NO_COLOR, and no screen on a dumb terminal', async () => {
    const top = open(120, 20, { env: { NO_COLOR: '1' } });
    await top.shows(/^blocked-0 app\/1 +\d{2,3}%/m);
    expect(top.output()).not.toMatch(/\u001b\[3[0-9]m/);
    top.kill();
    await top.ended;
    const dumb = open(120, 20, { env: { TERM: 'dumb' } });
    await vi.waitFor(() => expect(dumb.output()).toMatch(/^PROCESS +CPU[\s\S]*blocked-0/m), { timeout: 50_000 });
    expect(dumb.output()).not.toContain('\u001b');
  });
});

describe('top elsewhere', () => {
  it('ends with its reader: pods are not asked for nobody', async () => {
    const line = 'dist/kubectl-nodeops -n "$NS" top -l tier=top -o json | head -n 1';
    const env = { ...process.env, KUBECONFIG: bed.kubeconfig, NS: bed.namespace, NODE_OPTIONS: '' };
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', line], { env, timeout: 50_000 });
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'nodeops/v1' });
    expect(stderr).toBe('');
  });

  it('is lines of JSON with -o json', async () => {
    const { code, stdout } = await bed.nodeops([...selected, '--once', '-o', 'json']);
    expect(code).toBe(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatchObject({ schema: 'nodeops/v1', target: { pod: 'blocked-0' }, sample: { utilization: 1 } });
  });
});
