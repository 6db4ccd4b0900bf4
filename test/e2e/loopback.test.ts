/** The embedded cluster on a machine without namespaces, as `npm run demo` meets it in many containers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bed, notEmbedded, openBed } from './bed.ts';
import { container, healthy, pod } from './pods.ts';

describe.skipIf(notEmbedded)('pods kept apart by loopback addresses', () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await openBed({ isolation: 'loopback' });
    await bed.create(
      pod('one-0', [container(bed, { script: healthy })]),
      pod('two-0', [container(bed, { script: healthy })]),
    );
    await bed.ready('one-0', 'two-0');
  });
  afterAll(() => bed?.close());

  it('have an agent each, which knows no process of another pod', async () => {
    await bed.answering(2, '-l', 'app in (one-0, two-0)');
    for (const name of ['one-0', 'two-0']) {
      const { code, stdout, stderr } = await bed.nodeops(['list', `pod/${name}`, '-o', 'json']);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout).data.processes).toMatchObject([{ container: 'app', leader: true }]);
    }
  });

  it('answer while asked', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', 'pod/two-0', '-o', 'json']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).data.eventLoop.utilization).toBeLessThan(0.9);
  });
});
