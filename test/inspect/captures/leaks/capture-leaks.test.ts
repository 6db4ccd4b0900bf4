import { afterAll, describe, expect, it } from 'vitest';
import type { LeaksReport } from '../../../../src/protocol/leaks.ts';
import { leaksText } from '../../../../src/protocol/text/leaks.ts';
import { App, cleanUp, versions } from '../../../agent/captures/harness.ts';
import { leaks, sharedByLeaks } from '../../../formats/heap/leaking.ts';

afterAll(cleanUp);

/** All eight at once, each in a function of its own name, called as handlers are; the caches turn over with every other call. */
const leaking = `${sharedByLeaks}
const run = [];
${leaks.map(({ body }, i) => `{ ${body.replace('function leak()', `function leak${i}()`)}; run.push(leak${i}); }`).join('\n')}
class Orders { constructor() { this.open = new Map(); } place() { for (let i = 0; i < 20; i++) this.open.set(n, made(n++)); } }
const orders = new Orders();
run.push(() => orders.place(), cacheRing, cacheLru, cacheSlots, cacheSet);
const step = (from) => { for (let i = from; i < run.length; i++) run[i](); };
setInterval(() => { step(0); for (let i = 0; i < 12; i++) step(run.length - 4); }, 20);`;

describe.each(versions)('leaks on %s', (version) => {
  it('names who keeps ever more, what keeps it, and no cache', async () => {
    const app = await App.start(version, leaking);
    const { text } = await app.take('leaks', 'duration=6000');
    await app.stop();
    const report = JSON.parse(text) as LeaksReport;
    const accused = report.sites.filter(({ verdict }) => verdict === 'leaks');
    const names = accused.map(({ frames, blamed }) => frames[blamed]!.function);
    expect(names.filter((name) => name.startsWith('cache'))).toEqual([]);
    const right = leaks.filter((_, i) => names.includes(`leak${i}`));
    expect(right.length, `only ${right.map(({ name }) => name)} of ${names}`).toBeGreaterThanOrEqual(7);
    const keptBy = (name: string) =>
      accused
        .find(({ frames, blamed }) => frames[blamed]!.function === name)
        ?.keptBy.find(({ from, to }) => to > (from ?? to));
    expect(keptBy('leak0')).toMatchObject({ path: 'variable leakMap', kind: 'Map' });
    expect(keptBy('leak5')).toMatchObject({ path: 'variable history', kind: 'Array' });
    expect(keptBy('place')).toMatchObject({ path: 'a Orders → open', kind: 'Map' });
    expect(report.grown).toContainEqual(expect.objectContaining({ what: 'listeners', name: 'tick of EventEmitter' }));
    expect(report.grown).toContainEqual(expect.objectContaining({ what: 'modules' }));
    expect(leaksText(report).join('\n')).toMatch(
      /^leaks [\d.]+[KM]?B\/s.*: leak\d \(.*app\.cjs:\d+\), (?:certain|likely|possible)/m,
    );
  });
});
