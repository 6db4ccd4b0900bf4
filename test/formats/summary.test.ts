import { describe, expect, it } from 'vitest';
import { diff } from '../../src/formats/diff.ts';
import { emptyStack, Profile, textLabels } from '../../src/formats/model.ts';
import { changes } from '../../src/formats/summary/changes.ts';
import { list } from '../../src/formats/summary/list.ts';
import { profileHead } from '../../src/formats/summary/report.ts';
import { sampleIndex } from '../../src/formats/summary/sample-index.ts';
import { tags } from '../../src/formats/summary/tags.ts';
import { top } from '../../src/formats/summary/top.ts';
import { traces } from '../../src/formats/summary/traces.ts';
import { peek, tree } from '../../src/formats/summary/tree.ts';
import { formatValue, percentage, reportUnit } from '../../src/formats/units.ts';

/** main calls fib, which calls itself, and parse, which collects garbage; worked out by hand below. */
function small(): Profile {
  const profile = new Profile(
    [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    { timeMs: Date.UTC(2026, 10, 22, 23, 5), durationNanos: 2e9, comments: ['Taken by a test', '# hidden'] },
  );
  const at = (name: string, line: number, start = line) => {
    const file = name.startsWith('(') ? '' : 'file:///app/main.js';
    return profile.frame(profile.function({ name, systemName: name, file, line: start }), line);
  };
  const stack = (...frames: number[]) => frames.reduce((on, frame) => profile.stack(on, frame), emptyStack);
  const [main, fib, parse, gc] = [at('main', 1), at('fib', 5), at('parse', 10), at('(garbage collector)', 0)];
  const main0 = profile.labels(textLabels({ thread: 'main', pod: 'api-0' }));
  const worker = profile.labels(textLabels({ thread: 'worker 1', pod: 'api-0' }));
  profile.add(stack(main, fib, fib, at('fib', 6, 5)), main0, [100, 1010e6]);
  profile.add(stack(main, at('parse', 11, 10)), main0, [10, 100e6]);
  profile.add(stack(main, parse, gc), worker, [1, 10e6]);
  return profile;
}

describe('top', () => {
  it('prints flat and cum as pprof does, recursion counted once', () => {
    expect(top(small())).toBe(
      [
        'Showing nodes accounting for 1.12s, 100% of 1.12s total',
        '      flat  flat%   sum%        cum   cum%',
        '     1.01s 90.18% 90.18%      1.01s 90.18%  fib /app/main.js:5',
        '     0.10s  8.93% 99.11%      0.11s  9.82%  parse /app/main.js:10',
        '     0.01s  0.89%   100%      0.01s  0.89%  (garbage collector)',
        '         0     0%   100%      1.12s   100%  main /app/main.js:1',
        '',
      ].join('\n'),
    );
  });

  it('sorts by cum, takes a column, and tells what it left out', () => {
    expect(top(small(), { column: 0, sort: 'cum', nodeCount: 2, nodeFraction: 0.05 })).toBe(
      [
        'Showing nodes accounting for 100, 90.09% of 111 total',
        'Dropped 1 node (cum <= 5)',
        'Showing top 2 nodes out of 3',
        '      flat  flat%   sum%        cum   cum%',
        '         0     0%     0%        111   100%  main /app/main.js:1',
        '       100 90.09% 90.09%        100 90.09%  fib /app/main.js:5',
        '',
      ].join('\n'),
    );
  });

  it('cuts lines to the width of the terminal, and is calm about nothing', () => {
    for (const line of top(small(), { widthColumns: 50 }).split('\n')) expect(line.length).toBeLessThanOrEqual(50);
    expect(top(new Profile([{ type: 'cpu', unit: 'nanoseconds' }]))).toBe(
      'Showing nodes accounting for 0, 0% of 0 total\n      flat  flat%   sum%        cum   cum%\n',
    );
  });
});

const rule = '----------------------------------------------------------+-------------';

describe('tree and peek', () => {
  it('print callers above and callees below, calls to itself left out', () => {
    expect(tree(small())).toBe(
      [
        'Showing nodes accounting for 1.12s, 100% of 1.12s total',
        rule,
        '      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t ',
        rule,
        '                                             1.01s   100% |   main /app/main.js:1',
        '     1.01s 90.18% 90.18%      1.01s 90.18%                | fib /app/main.js:5',
        rule,
        '                                             0.11s   100% |   main /app/main.js:1',
        '     0.10s  8.93% 99.11%      0.11s  9.82%                | parse /app/main.js:10',
        '                                             0.01s  9.09% |   (garbage collector)',
        rule,
        '                                             0.01s   100% |   parse /app/main.js:10',
        '     0.01s  0.89%   100%      0.01s  0.89%                | (garbage collector)',
        rule,
        '         0     0%   100%      1.12s   100%                | main /app/main.js:1',
        '                                             1.01s 90.18% |   fib /app/main.js:5',
        '                                             0.11s  9.82% |   parse /app/main.js:10',
        rule,
        '',
      ].join('\n'),
    );
  });

  it('joins callers and callees around functions that were dropped', () => {
    // without parse (below 15%), what it called would be main's; that is dropped as well here
    const output = tree(small(), { nodeFraction: 0.15 });
    expect(output).toContain('Dropped 2 nodes (cum <= 0.17s)');
    expect(output).not.toContain('parse');
    expect(output).toContain('1.01s 90.18% |   fib /app/main.js:5');
  });

  it('peek shows matching functions only', () => {
    const output = peek(small(), /parse/);
    expect(output.match(/\| parse/g)).toHaveLength(1);
    expect(output).not.toContain('| fib');
    expect(peek(small(), /nothing/)).toBe('no function matches nothing\n');
  });
});

describe('list', () => {
  const source = Array.from({ length: 20 }, (_, i) => `// line ${i + 1}`).join('\n');

  it('prints source with values beside it, five lines around', () => {
    const files: string[] = [];
    const output = list(small(), /^parse$/, (file) => {
      files.push(file);
      return source;
    });
    expect(files).toEqual(['file:///app/main.js']);
    expect(output.split('\n')).toEqual([
      'Total: 1.12s',
      'ROUTINE ======================== parse in /app/main.js',
      '     100ms      110ms (flat, cum)  9.82% of Total',
      ...[5, 6, 7, 8, 9].map((n) => `         .          . ${String(n).padStart(6)}:// line ${n}`),
      '         .       10ms     10:// line 10',
      '     100ms      100ms     11:// line 11',
      ...[12, 13, 14, 15, 16].map((n) => `         .          . ${String(n).padStart(6)}:// line ${n}`),
      '',
    ]);
  });

  it('gives the lines that have samples where the source is not at hand', () => {
    expect(list(small(), /fib/, () => undefined)).toBe(
      [
        'Total: 1.12s',
        'ROUTINE ======================== fib in /app/main.js',
        '     1.01s      1.01s (flat, cum) 90.18% of Total',
        ' The source of /app/main.js is not at hand; lines with samples:',
        '         .      1.01s      5:',
        '     1.01s      1.01s      6:',
        '',
      ].join('\n'),
    );
    expect(list(small(), /garbage/, () => source)).toContain('No source information for (garbage collector)');
    expect(list(small(), /nothing/, () => source)).toBe('no function matches nothing\n');
  });
});

it('traces print labels and stacks, innermost first', () => {
  const rule = '-----------+-------------------------------------------------------';
  const output = traces(small(), { limitStacks: 2 });
  // what all samples have is said once, above them
  expect(output.slice(0, output.indexOf(rule))).toMatch(/^ +pod: {2}api-0\n$/m);
  expect(output.slice(output.indexOf(rule))).toBe(
    [
      rule,
      '    thread:  main',
      '     1.01s   fib',
      '             fib',
      '             fib',
      '             main',
      rule,
      '    thread:  main',
      '     100ms   parse',
      '             main',
      rule,
      'Not shown: 1 of 3 stacks',
      '',
    ].join('\n'),
  );
});

it('tags print each label with its values and their shares', () => {
  expect(tags(small())).toBe(
    [
      ' pod: Total 1.12s of 1.12s (  100%)',
      '      1.12s (  100%): api-0',
      '',
      ' thread: Total 1.12s of 1.12s (  100%)',
      '         1.11s (99.11%): main',
      '          10ms ( 0.89%): worker 1',
      '',
      '',
    ].join('\n'),
  );
  expect(tags(new Profile([{ type: 'cpu', unit: 'nanoseconds' }]))).toBe('no sample has labels\n');
});

it('the head tells type, time, duration and share of it, and comments that are for people', () => {
  expect(profileHead(small())).toBe(
    'Taken by a test\nType: cpu\nTime: 2026-11-22 23:05:00 UTC\nDuration: 2s, Total samples = 1.12s (56.00%)\n',
  );
});

it('sample_index takes numbers, types, and a heap type without its prefix', () => {
  expect([sampleIndex(small(), ''), sampleIndex(small(), 'samples'), sampleIndex(small(), '1')]).toEqual([1, 0, 1]);
  const heap = new Profile(['inuse_objects', 'inuse_space'].map((type) => ({ type, unit: 'count' })));
  expect(sampleIndex(heap, 'objects')).toBe(0);
  expect(() => sampleIndex(heap, 'cpu')).toThrow(
    "the profile has no sample type 'cpu'; it has inuse_objects, inuse_space",
  );
});

it('changes print what got slower first, with both values', () => {
  const base = small();
  const next = small();
  const { stack, labels } = { stack: next.sampleStack[1]!, labels: next.sampleLabels[1]! };
  next.add(stack, labels, [30, 300e6]);
  expect(changes(diff(base, next))).toBe(
    [
      'Type: cpu',
      'Total: 1120ms -> 1420ms (+300ms)',
      '     +flat +flat%  base flat   new flat       +cum  +cum%',
      '    +300ms 26.79%      100ms      400ms     +300ms 26.79%  parse /app/main.js',
      '         0     0%          0          0     +300ms 26.79%  main /app/main.js',
      '',
    ].join('\n'),
  );
  expect(changes(diff(base, base))).toContain('No function changed');
  expect(changes(diff(next, base), { show: 'worse' })).toContain('No function changed');
  expect(changes(diff(next, base), { show: 'better' })).toContain('-300ms');
});

it('values and shares are written as pprof writes them', () => {
  expect([0, 999, 1e6, 1.5e9, 3600e9 * 2, -2e6].map((n) => formatValue(n, 'nanoseconds', 'auto'))).toEqual([
    '0',
    '999ns',
    '1ms',
    '1.50s',
    '2hrs',
    '-2ms',
  ]);
  expect([512, 1024, 102400, 1638400, 65536000].map((n) => formatValue(n, 'bytes', 'auto'))).toEqual([
    '512B',
    '1kB',
    '100kB',
    '1.56MB',
    '62.50MB',
  ]);
  expect(formatValue(1234, 'count', 'auto')).toBe('1234');
  expect([0, 1, 0.5, 9.99e-1, 5.1e-3, 15e-3, 1e-5, 63.371, 99.96].map((n) => percentage(n, 100))).toEqual([
    '    0%',
    ' 1.00%',
    '  0.5%',
    '    1%',
    '0.0051%',
    '0.015%',
    '1e-05%',
    '63.37%',
    '  100%',
  ]);
  expect([
    reportUnit([10e6, 1e9], 1.12e9, 'nanoseconds'),
    reportUnit([1e3, 1e9], 1e9, 'nanoseconds'),
    reportUnit([], 5, 'count'),
  ]).toEqual(['s', 'us', 'count']);
});
