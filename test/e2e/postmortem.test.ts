import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, openBed } from './bed.ts';
import { container, pod } from './pods.ts';

let bed: Bed;
let directory = '';
/** Crashes the first time, and lives when there is a record of that. */
const crashing = `
  const fs = require('node:fs');
  const folder = '/artifacts/nodeops-1000/crash';
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
  });
});
