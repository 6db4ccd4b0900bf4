import { describe, expect, it } from 'vitest';
import { compare, makeBaseline } from '../../../../src/plugin/commands/smoke/baseline.ts';
import { judge } from '../../../../src/plugin/commands/smoke/judge.ts';
import { pausesBetween } from '../../../../src/plugin/commands/smoke/pauses.ts';
import type { ProcessRun, Seen } from '../../../../src/plugin/commands/smoke/run.ts';
import { growth, median, noise, quantile } from '../../../../src/plugin/commands/smoke/statistics.ts';
import { UncaughtTally } from '../../../../src/plugin/commands/smoke/uncaught.ts';
import type { Envelope, GcKind, MemstatsReply, StatsReply } from '../../../../src/protocol/replies.ts';

describe('statistics', () => {
  it('take the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect(quantile(hundred, 0.95)).toBe(95);
    expect(quantile(hundred, 1)).toBe(100);
    expect(quantile([7], 0.5)).toBe(7);
    expect(quantile([], 0.5)).toBeNull();
    expect(median([3, 1, 2, 10])).toBe(2.5);
  });

  it('find a line through outliers', () => {
    const points = Array.from({ length: 20 }, (_, n) => ({ atMs: n * 100, value: 50 + 2 * n }));
    expect(growth(points)).toEqual({ start: 50, by: 38 });
    const disturbed = points.map((point, n) => (n % 5 === 2 ? { ...point, value: 9_000 } : point));
    expect(growth(disturbed)!.by).toBeCloseTo(38, 0);
    expect(growth(points.slice(0, 1))).toBeNull();
    expect(growth(Array.from({ length: 10_000 }, (_, n) => ({ atMs: n, value: n })))!.by).toBeCloseTo(9_999, 3);
  });

  it('do not call one spike noise', () => {
    expect(noise([5, 5, 5, 5, 900])).toBe(0);
    expect(noise([1, 2, 3, 4, 5])).toBeCloseTo(1.4826);
  });
});

function gc(scavenge: Partial<GcKind>, last: string | null = null): MemstatsReply['gc'] {
  const none = { count: 0, totalPauseMs: 0, maxPauseMs: 0 };
  const others = { minorMarkSweep: none, markSweepCompact: none, incremental: none, weakCallbacks: none };
  const latest = last === null ? null : { kind: 'scavenge', at: last, pauseMs: 3 };
  return { since: 'a', scavenge: { ...none, ...scavenge }, ...others, last: latest };
}

describe('pauses of an interval', () => {
  const before = gc({ count: 10, totalPauseMs: 60, maxPauseMs: 40 });
  it('are exact when the record was broken, or there was one', () => {
    expect(pausesBetween(before, gc({ count: 12, totalPauseMs: 120, maxPauseMs: 55 }))).toEqual({ low: 55, high: 55 });
    expect(pausesBetween(before, gc({ count: 11, totalPauseMs: 67, maxPauseMs: 40 }))).toEqual({ low: 7, high: 7 });
    expect(pausesBetween(before, before)).toEqual({ low: 0, high: 0 });
  });
  it('lie between the mean and the record otherwise', () => {
    expect(pausesBetween(before, gc({ count: 14, totalPauseMs: 160, maxPauseMs: 40 }))).toEqual({ low: 25, high: 40 });
    expect(pausesBetween(before, gc({ count: 12, totalPauseMs: 62, maxPauseMs: 40 }, 'later'))).toEqual({
      low: 3,
      high: 3,
    });
  });
  it('are unknown over a restart', () => {
    expect(pausesBetween(before, { ...before!, since: 'b' })).toBeNull();
    expect(pausesBetween(null, before)).toBeNull();
  });
});

function seen(figures: Partial<Seen>, n = 0): Seen {
  const nothing = { cpuPercent: null, throttled: null, utilization: null, delayP99Ms: null, heapUsedBytes: null };
  const more = {
    heapLimitBytes: null,
    externalBytes: null,
    rssBytes: null,
    limitBytes: null,
    gcShare: null,
    handles: null,
  };
  return { ...nothing, ...more, stuck: null, pauses: null, atMs: n * 1000, ...figures };
}
function run(figures: readonly Partial<Seen>[], rest: Partial<ProcessRun> = {}): ProcessRun {
  const endpoint = { name: 'pod/api-0', noAgentHint: '', connect: () => Promise.reject(new Error('not asked')) };
  return {
    target: { endpoint, process: undefined },
    name: { namespace: 'default', pod: 'api-0', container: 'web', pid: 1, address: null },
    workload: 'api',
    versions: null,
    samples: figures.map(seen),
    due: figures.length,
    failed: 0,
    problem: undefined,
    afterGc: [],
    gcProblem: undefined,
    resets: 0,
    restarts: 0,
    uncaught: { low: 0, high: 0 },
    presence: 'there',
    ...rest,
  };
}
const ten = (figures: Partial<Seen>) => Array.from({ length: 10 }, () => figures);

describe('judging', () => {
  const rss = (most: number, asked: boolean) => [{ name: 'max-rss', limit: { unit: 'part', most }, asked }] as const;

  it('of a part without a limit is unknown when asked for, and skipped when not', () => {
    const unlimited = run(ten({ rssBytes: 100 }));
    expect(judge(unlimited, rss(0.9, true)).results[0]!.status).toBe('unknown');
    expect(judge(unlimited, rss(0.9, false)).results[0]!.status).toBe('skip');
    expect(judge(run(ten({ rssBytes: 95, limitBytes: 100 })), rss(0.9, false)).results[0]).toMatchObject({
      status: 'fail',
      value: '95.0%',
    });
  });

  it('takes half of what was due, and five at least', () => {
    const few = ten({ rssBytes: 10, limitBytes: 100 });
    expect(judge(run(few, { due: 20 }), rss(0.9, false)).results[0]!.status).toBe('pass');
    expect(judge(run(few, { due: 21 }), rss(0.9, false)).results[0]!.status).toBe('unknown');
    expect(judge(run(few.slice(0, 4), { due: 4 }), rss(0.9, false)).results[0]!.status).toBe('unknown');
  });

  it('of a pause that is known within bounds fails only for certain', () => {
    const pauses = run(ten({ pauses: { low: 20, high: 60 } }));
    const status = (most: number) =>
      judge(pauses, [{ name: 'max-gc-pause', limit: { unit: 'milliseconds', most }, asked: true }]).results[0]!.status;
    expect([status(10), status(30), status(60)]).toEqual(['fail', 'unknown', 'pass']);
  });

  it('counts restarts by the pod, and those it saw itself', () => {
    const status = (rest: Partial<ProcessRun>) =>
      judge(run(ten({}), rest), [{ name: 'max-restarts', limit: { unit: 'count', most: 0 }, asked: false }]).results[0]!
        .status;
    expect(status({ restarts: 0 })).toBe('pass');
    expect(status({ restarts: 1 })).toBe('fail');
    expect(status({ restarts: 0, resets: 1 })).toBe('fail');
  });

  it('of growth needs forced collections', () => {
    const growing = (by: number, count = 6) =>
      run(ten({}), { afterGc: Array.from({ length: count }, (_, n) => ({ atMs: n, value: 1000 + by * n })) });
    const status = (of: ProcessRun) =>
      judge(of, [{ name: 'max-heap-growth', limit: { unit: 'share', most: 0.1 }, asked: true }]).results[0]!.status;
    expect([status(growing(0)), status(growing(50)), status(growing(0, 3))]).toEqual(['pass', 'fail', 'unknown']);
  });
});

function reading(count: number | null | undefined, since = 'a', stuck = false): Envelope<StatsReply> {
  const none = { count: 0, lastAt: null };
  const some = (number: number) => ({ count: number, lastAt: since });
  const errors =
    count == null ? count : { since, uncaughtExceptions: some(count), unhandledRejections: some(1), warnings: none };
  const data = errors === undefined ? {} : { errors };
  return { data, stuck: stuck ? { summary: 'stuck' } : null } as unknown as Envelope<StatsReply>;
}

describe('uncaught exceptions of a run', () => {
  const tally = (...readings: [Envelope<StatsReply>, boolean?][]) => {
    const uncaught = new UncaughtTally();
    for (const [each, restarted = false] of readings) uncaught.see(each, restarted);
    return uncaught.result();
  };

  it('are what came after the first reading, restarts included', () => {
    expect(tally([reading(5)], [reading(5)], [reading(8)])).toEqual({ low: 3, high: 3 });
    expect(tally([reading(5)], [reading(2, 'b'), true], [reading(3, 'b')])).toEqual({ low: 4, high: 4 });
  });
  it('are not told from figures of before the main thread was stuck', () => {
    expect(tally([reading(5)], [reading(5, 'a', true)], [reading(7)])).toEqual({ low: 2, high: 2 });
    expect(tally([reading(5)], [reading(5, 'a', true)])).toEqual({ missing: 'no reading of it', inapplicable: false });
  });
  it('may be more where nobody counted for a while, and are then no pass', () => {
    const uncaught = tally([reading(5)], [reading(-1, 'b')]);
    expect(uncaught).toEqual({ low: 0, high: Number.POSITIVE_INFINITY });
    const most = (limit: number) =>
      judge(run(ten({}), { uncaught }), [
        { name: 'max-uncaught-exceptions', limit: { unit: 'count', most: limit }, asked: false },
      ]);
    expect(most(0).results[0]!.status).toBe('unknown');
  });
  it('are missing where an agent does not count them', () => {
    expect(tally([reading(undefined)], [reading(undefined)])).toMatchObject({
      inapplicable: true,
      missing: expect.stringContaining('too old'),
    });
    expect(tally([reading(null)], [reading(null)])).toMatchObject({
      inapplicable: true,
      missing: expect.stringContaining('nobody counts'),
    });
  });
});

describe('the baseline', () => {
  const at = new Date(0);
  const rss = (values: readonly number[]) =>
    makeBaseline([run(values.map((value) => ({ rssBytes: value * 1e6 })))], at);
  const status = (before: readonly number[], now: readonly number[], tolerance = 0.2) =>
    compare(rss(before), rss(now), tolerance)[0]!.results[0]!.status;
  const steady = [100, 100, 101, 100, 99, 100];

  it('lets pass what is better, within tolerance, or within noise', () => {
    expect(status(steady, steady)).toBe('pass');
    expect(
      status(
        steady,
        steady.map((value) => value / 2),
      ),
    ).toBe('pass');
    expect(
      status(
        steady,
        steady.map((value) => value * 1.15),
      ),
    ).toBe('pass');
    expect(status([60, 140, 80, 120, 100, 70], [100, 180, 120, 160, 140, 110], 0)).toBe('pass');
  });
  it('fails what is worse by more', () => {
    expect(
      status(
        steady,
        steady.map((value) => value * 1.5),
      ),
    ).toBe('fail');
  });
  it('knows that what happens now and then happens more or less often', () => {
    const uncaught = (count: number) => makeBaseline([run(ten({}), { uncaught: { low: count, high: count } })], at);
    const told = (before: number, now: number) =>
      compare(uncaught(before), uncaught(now), 0)[0]!.results.find(({ check }) => /uncaught/.test(check))!.status;
    expect([told(0, 0), told(10, 15), told(0, 20), told(10, 100)]).toEqual(['pass', 'pass', 'fail', 'fail']);
  });
  it('has nothing to say of what is new', () => {
    const none = { ...rss(steady), groups: {} };
    expect(compare(none, rss(steady), 0.2)[0]!.results[0]!.status).toBe('skip');
    expect(Object.keys(rss(steady).groups)).toEqual(['api/web']);
  });
});
