/** Coverage that the app measures is the app's: nothing that is asked of the agent ends it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { ask, bed, eventually, fresh, nodeOf, program, start, useBed, versions } from './bed.ts';

useBed();
beforeEach(fresh);

it.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
  'Node %i: NODE_V8_COVERAGE',
  async (version) => {
    const path = program(
      'covered.cjs',
      `let calls = 0;
    function handler() { calls++; }
    setInterval(handler, 5);
    process.stdin.once('data', () => { console.log('calls', calls); process.exit(0); });
    console.log('up');`,
    );
    const folder = join(bed.configDir, 'coverage');
    const app = start(path, { node: nodeOf(version), stdin: 'pipe', env: { NODE_V8_COVERAGE: folder } });
    await app.says('up');
    for (const reading of ['stats?window=50', 'stack', 'waits', 'memstats'])
      expect((await eventually(() => ask(reading))).status).toBe(200);
    const { id } = (await ask('pprof-cpu?duration=200', { method: 'POST' })).body.data;
    const job = await eventually(async () => {
      const { data } = (await ask(`jobs/${id}`)).body;
      if (data.state === 'running') throw new Error('running');
      return data;
    });
    expect(job).toMatchObject({ state: 'failed', error: { code: 'refused' } });
    expect(job.error.message).toContain('NODE_V8_COVERAGE');
    app.child.stdin!.write('end');
    await app.ended;
    const calls = Number(/calls (\d+)/.exec(app.output())![1]);
    expect(calls).toBeGreaterThan(10);
    const counted = readdirSync(folder).flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
        result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
      };
      return result
        .filter(({ url }) => url.endsWith('covered.cjs'))
        .flatMap(({ functions }) => functions.filter(({ functionName }) => functionName === 'handler'))
        .map(({ ranges }) => ranges[0]!.count);
    });
    expect(counted).toEqual([calls]);
  },
);
