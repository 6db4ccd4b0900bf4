import { describe, expect, it } from 'vitest';
import { diff } from '../../src/formats/diff.ts';
import { filter, parseTagFilter } from '../../src/formats/filter.ts';
import { byFunction, graphOf } from '../../src/formats/graph.ts';
import { Merger, merge } from '../../src/formats/merge.ts';
import { emptyStack, Profile, textLabels } from '../../src/formats/model.ts';
import { readProfile } from '../../src/formats/read.ts';
import { randomProfile } from './random.ts';
import { contents, cpuScript, nodes, record } from './record.ts';

const seeds = Array.from({ length: 20 }, (_, i) => 3 * i + 1);

describe('merging', () => {
  it('gives the same whatever the order and grouping', () => {
    for (const seed of seeds) {
      const [a, b, c] = [seed, seed + 1, seed + 2].map(randomProfile) as [Profile, Profile, Profile];
      const all = contents(merge([a, b, c]));
      expect(contents(merge([merge([a, b]), c]))).toEqual(all);
      expect(contents(merge([a, merge([b, c])]))).toEqual(all);
      expect(contents(merge([c, a, b]))).toEqual(all);
    }
  });

  it('keeps totals, adds durations, keeps the earliest time and each comment once', () => {
    for (const seed of seeds) {
      const [a, b] = [randomProfile(seed), randomProfile(seed + 100)];
      const sum = merge([a, b]);
      for (const column of [0, 1]) expect(sum.total(column)).toBe(a.total(column) + b.total(column));
      expect(sum.facts.durationNanos).toBe(a.facts.durationNanos + b.facts.durationNanos);
      expect(sum.facts.timeMs).toBe(Math.min(a.facts.timeMs, b.facts.timeMs));
      expect(sum.facts.comments).toEqual([...new Set([...a.facts.comments, ...b.facts.comments])]);
    }
  });

  it('changes none of its sources, and one profile merged with itself has twice its values', () => {
    const profile = randomProfile(7);
    const before = contents(profile);
    const twice = merge([profile, profile]);
    expect(contents(profile)).toEqual(before);
    expect(twice.sampleCount).toBe(profile.sampleCount);
    expect(twice.total(1)).toBe(2 * profile.total(1));
  });

  it('keeps processes apart by labels: filtered by pod, each comes back', async () => {
    const sources = await Promise.all(nodes.slice(0, 2).map(({ path }) => record(path, cpuScript)));
    const merger = new Merger();
    const profiles = sources.map((text, i) => {
      const labels = textLabels({ pod: `api-${i}`, version: 'v1' });
      const profile = readProfile(Buffer.from(text), { labels });
      merger.add(readProfile(Buffer.from(text)), `api-${i}`, labels);
      return profile;
    });
    for (const [i, profile] of profiles.entries())
      expect(contents(filter(merger.result(), { tagFocus: parseTagFilter(`pod=^api-${i}$`) }))).toEqual(
        contents(profile),
      );
  });

  it('adds no label that is there already', () => {
    const merger = new Merger();
    const profile = filter(randomProfile(3), { tagFocus: parseTagFilter('pod=api-1') });
    merger.add(profile, 'api-1', textLabels({ pod: 'api-1' }));
    expect(contents(merger.result())).toEqual(contents(profile));
  });

  it('is refused for other sample types, by name', () => {
    const merger = new Merger();
    merger.add(randomProfile(1), 'api-0.pb.gz');
    expect(() => merger.add(new Profile([{ type: 'inuse_space', unit: 'bytes' }]), 'api-1.pb.gz')).toThrow(
      'api-1.pb.gz cannot be merged with api-0.pb.gz: it has inuse_space/bytes, not samples/count, cpu/nanoseconds',
    );
    expect(() => new Merger().result()).toThrow('there is no profile to merge');
  });
});

describe('a diff', () => {
  it('of equal profiles is zero everywhere', () => {
    for (const seed of seeds) {
      const { rows, baseTotal, newTotal } = diff(randomProfile(seed), merge([randomProfile(seed)]));
      expect(baseTotal).toBe(newTotal);
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect([row.newFlat - row.baseFlat, row.newCum - row.baseCum]).toEqual([0, 0]);
    }
  });

  it('adds up to the difference of the totals', () => {
    const [base, next] = [randomProfile(1), randomProfile(2)];
    const { rows } = diff(base, next);
    const sum = rows.reduce((total, row) => total + row.newFlat - row.baseFlat, 0);
    expect(sum).toBe(next.total(1) - base.total(1));
  });

  it('of twice as much in twice the time is zero when scaled by duration or total', () => {
    const base = randomProfile(5);
    const next = merge([base, base]);
    for (const normalize of ['duration', 'total'] as const)
      for (const row of diff(base, next, { normalize }).rows) expect(row.newFlat).toBeCloseTo(row.baseFlat, 3);
    expect(diff(base, next).rows[0]!.newFlat).toBe(2 * diff(base, next).rows[0]!.baseFlat);
  });

  it('finds the function that got slower though its line moved, and is refused for other types', () => {
    const build = (line: number, nanos: number) => {
      const profile = new Profile([{ type: 'cpu', unit: 'nanoseconds' }]);
      const at = (name: string, line: number) =>
        profile.frame(profile.function({ name, systemName: name, file: '/app/a.js', line }), line);
      const main = profile.stack(emptyStack, at('main', 1));
      profile.add(profile.stack(main, at('slow', line)), 0, [nanos]);
      profile.add(profile.stack(main, at('same', line + 9)), 0, [500]);
      return profile;
    };
    const { rows } = diff(build(10, 100), build(20, 400));
    expect(rows).toEqual([
      { name: 'slow /app/a.js', baseFlat: 100, newFlat: 400, baseCum: 100, newCum: 400 },
      { name: 'main /app/a.js', baseFlat: 0, newFlat: 0, baseCum: 600, newCum: 900 },
      { name: 'same /app/a.js', baseFlat: 500, newFlat: 500, baseCum: 500, newCum: 500 },
    ]);
    const heap = new Profile([{ type: 'inuse_space', unit: 'bytes' }]);
    expect(() => diff(build(1, 1), heap)).toThrow(/cannot be compared/);
    expect(() => diff(build(1, 1), build(1, 1), { normalize: 'duration' })).toThrow(/scaled by duration/);
  });
});

describe('a filter', () => {
  it('splits a profile in two: focus and ignore of one pattern add up', () => {
    for (const seed of seeds) {
      const profile = randomProfile(seed);
      const parts = [filter(profile, { focus: /^f[12]$/ }), filter(profile, { ignore: /^f[12]$/ })];
      expect(contents(merge(parts))).toEqual(contents(profile));
      expect(parts[0]!.functions.some(({ name }) => name === 'f1')).toBe(true);
      expect(parts[1]!.functions.map(({ name }) => name)).not.toContain('f1');
    }
  });

  it('splits by label too, with a global expression as well', () => {
    const profile = randomProfile(9);
    const tag = { key: 'pod', value: /api-[01]/g };
    const parts = [filter(profile, { tagFocus: tag }), filter(profile, { tagIgnore: tag })];
    expect(contents(merge(parts))).toEqual(contents(profile));
    expect(parts[0]!.sampleCount).toBeGreaterThan(0);
    expect(filter(profile, { tagFocus: parseTagFilter('8bytes') }).sampleCount).toBeGreaterThan(0);
  });

  it('hides frames and keeps their values', () => {
    const profile = randomProfile(4);
    const hidden = filter(profile, { hide: /f3/ });
    const nothingElse = filter(profile, { ignore: /f[0124567]/ });
    expect(hidden.total(1)).toBe(profile.total(1) - nothingElse.total(1));
    expect(hidden.functions.map(({ name }) => name)).not.toContain('f3');
    const shown = filter(profile, { show: /f3/ });
    expect(new Set(shown.functions.map(({ name }) => name))).toEqual(new Set(['f3']));
    const cumOf = (p: Profile) => graphOf(p, 1, byFunction(p)).nodes.find(({ name }) => name.startsWith('f3'))!.cum;
    expect(cumOf(shown)).toBe(cumOf(profile));
  });
});

describe('profiles of which one knows CPU time and the other does not', () => {
  const wall = { type: 'wall', unit: 'nanoseconds' };
  const build = (types: { type: string; unit: string }[], values: number[]) => {
    const profile = new Profile(types);
    const frame = profile.frame(profile.function({ name: 'f', systemName: 'f', file: '/a.js', line: 1 }), 1);
    profile.add(profile.stack(emptyStack, frame), 0, values);
    return profile;
  };
  const count = { type: 'samples', unit: 'count' };
  const older = build([count, wall], [2, 20]);
  const newer = build([count, wall, { type: 'cpu', unit: 'nanoseconds' }], [3, 30, 5]);

  it('are merged and compared by what both have', () => {
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const sum = merge(order);
      expect(sum.sampleTypes).toEqual([count, wall]);
      expect(sum.values).toEqual([[5], [50]]);
    }
    expect(diff(older, newer)).toMatchObject({ type: wall, baseTotal: 20, newTotal: 30 });
    expect(() => merge([older, build([count, { type: 'inuse_space', unit: 'bytes' }], [1, 2])])).toThrow(
      'cannot be merged',
    );
  });
});
