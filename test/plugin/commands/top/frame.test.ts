import { describe, expect, it } from 'vitest';
import { type Row, topColumns } from '../../../../src/plugin/commands/top/columns.ts';
import { frame, plain, type View } from '../../../../src/plugin/commands/top/frame.ts';
import type { Sample } from '../../../../src/plugin/commands/top/sample.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';

const sample: Sample = {
  cpuPercent: 12.4,
  throttled: 0,
  utilization: 0.11,
  delayP99Ms: 1.2,
  heapUsedBytes: 5 * 1024 ** 2,
  heapLimitBytes: 2 * 1024 ** 3,
  externalBytes: 2048,
  rssBytes: 60 * 1024 ** 2,
  limitBytes: 256 * 1024 ** 2,
  gcShare: 0.004,
  handles: 3,
  stuck: null,
};
const row = (pod: string, change: Partial<Sample> = {}): Row => ({
  target: { namespace: 'default', pod, container: 'app', pid: 1, address: null },
  sample: { ...sample, ...change },
  problem: undefined,
});
const view: View = { sort: topColumns[0], selected: undefined, paused: false, panel: undefined, scrolled: 0 };
const now = new Date(2026, 10, 22, 12, 0, 0);
const rows = [row('api-0'), row('api-1', { cpuPercent: 100, utilization: 1 }), row('api-10'), row('api-2')];

describe('the picture of top', () => {
  it('sorts by the chosen column, then by name with numbers counted', () => {
    const lines = frame(rows, view, { columns: 120, rows: 24 }, now, plain);
    expect(lines[0]).toBe('nodeops top - 12:00:00, 4 processes, by cpu');
    expect(lines.slice(2, 6).map((line) => line.split(' ')[0])).toEqual(['api-1', 'api-0', 'api-2', 'api-10']);
    expect(lines[2]).toMatch(
      /^api-1 app\/1 +100% +0\.0% +100\.0% +1\.2ms +5\.0MB\/2\.0GB +2\.0KB +60\.0MB\/256\.0MB +0\.4% +3$/,
    );
  });

  it.each([40, 60, 80, 200])('keeps within %i columns and the rows there are', (columns) => {
    const many = Array.from({ length: 100 }, (_, index) => row(`a-rather-long-pod-name-${index}`));
    const lines = frame(many, view, { columns, rows: 20 }, now, plain);
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    expect(lines.join('\n')).toContain('84 more');
  });

  it('keeps the selected row in sight', () => {
    const many = Array.from({ length: 50 }, (_, index) => row(`p-${index}`));
    const lines = frame(
      many,
      { ...view, sort: undefined, selected: 'p-49 app/1' },
      { columns: 80, rows: 12 },
      now,
      plain,
    );
    expect(lines.some((line) => line.startsWith('p-49 '))).toBe(true);
  });

  it('says why a process has no figures, and that another is stuck', () => {
    const gone: Row = {
      ...row('gone'),
      sample: undefined,
      problem: new NodeopsError('no-such-pod', "there is no pod 'gone'"),
    };
    const stuck = row('stuck', { stuck: 'main thread is waiting in read(2)' });
    const text = frame([gone, stuck], view, { columns: 80, rows: 10 }, now, plain).join('\n');
    expect(text).toMatch(/^gone app\/1 +there is no pod 'gone'$/m);
    expect(text).toMatch(/^stuck app\/1 +main thread is waiting in read\(2\)$/m);
    expect(text).toContain('1 without answer');
  });

  it('marks what is alarming', () => {
    const paint = { ...plain, alarm: (text: string) => `!${text.trim()}!` };
    const [, , line] = frame([row('hot', { cpuPercent: 99 })], view, { columns: 120, rows: 10 }, now, paint);
    expect(line).toContain('!99%!');
    expect(line).not.toContain('!11.0%!');
  });

  it('shows a panel of at most half the screen, scrolled', () => {
    const panel = ['stack', ...Array.from({ length: 40 }, (_, i) => `line ${i}`)];
    const size = { columns: 80, rows: 20 };
    const lines = frame(rows, { ...view, panel, scrolled: 5 }, size, now, plain);
    expect(lines.slice(-10)).toEqual(['stack', ...Array.from({ length: 9 }, (_, i) => `line ${i + 5}`)]);
    expect(frame(rows, { ...view, panel, scrolled: 99 }, size, now, plain).at(-1)).toBe('line 39');
  });
});
