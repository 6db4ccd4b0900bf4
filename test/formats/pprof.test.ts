import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Profile as Pprof, StringTable } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import { fromPprof } from '../../src/formats/from-pprof.ts';
import { textLabels } from '../../src/formats/model.ts';
import { detect, readProfile } from '../../src/formats/read.ts';
import { top } from '../../src/formats/summary/top.ts';
import { encodePprof, toPprof } from '../../src/formats/to-pprof.ts';
import { randomProfile } from './random.ts';
import { contents, cpuScript, heapScript, nodes, record } from './record.ts';

const labels = textLabels({ pod: 'api-0', container: 'app', node: 'worker-1', version: 'v3', thread: 'main' });

describe.each(nodes)('V8 of $name to pprof and back', ({ path }) => {
  it.each([
    ['cpuprofile', cpuScript],
    ['heapprofile', heapScript()],
  ])('%s: the same samples, labels and facts', async (format, script) => {
    const bytes = Buffer.from(await record(path, script));
    expect(detect(bytes)).toBe(format);
    const profile = readProfile(bytes, { labels, timeMs: 1_789_000_000_123 });
    const file = await toPprof(profile);
    expect(detect(file)).toBe('pprof');
    const back = readProfile(file);
    expect(contents(back)).toEqual(contents(profile));
    expect(back.facts).toEqual(profile.facts);
    expect(top(back)).toBe(top(profile));
    expect(back.labelSets[back.sampleLabels[0]!]).toEqual(profile.labelSets[1]);
  });
});

it('random profiles come back as they were', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const profile = randomProfile(seed);
    const back = fromPprof(encodePprof(profile));
    expect(contents(back)).toEqual(contents(profile));
    expect(back.facts).toEqual(profile.facts);
  }
});

/** As Go's runtime writes: a mapping, inlined lines, an address without symbols, a negative and a numeric label. */
function goProfile(): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  return new Pprof({
    sampleType: [
      { type: text('inuse_objects'), unit: text('count') },
      { type: text('inuse_space'), unit: text('bytes') },
      { type: text('alloc_objects'), unit: text('count') },
      { type: text('alloc_space'), unit: text('bytes') },
    ],
    mapping: [
      { id: 1, memoryStart: 0x400000, memoryLimit: 0x800000, filename: text('/usr/bin/server'), hasFunctions: true },
    ],
    function: [
      { id: 1, name: text('main.main'), systemName: text('main.main'), filename: text('/src/main.go'), startLine: 10 },
      { id: 2, name: text('main.inlined'), systemName: text('main.inlined'), filename: text('/src/main.go') },
    ],
    location: [
      {
        id: 7,
        mappingId: 1,
        address: 0x4a1b2cn,
        line: [
          { functionId: 2, line: 30 },
          { functionId: 1, line: 12 },
        ],
      },
      { id: 9, mappingId: 1, address: 0x00007f00deadbeefn },
    ],
    sample: [
      { locationId: [7], value: [1, 512, 3, 1536], label: [{ key: text('bytes'), num: 512 }] },
      { locationId: [9, 7], value: [0, -64, 2, 2 ** 40] },
    ],
    stringTable: strings,
    timeNanos: 1_789_000_000_123_456_789n,
    durationNanos: 10_000_000_000,
    periodType: { type: text('space'), unit: text('bytes') },
    period: 524288,
  }).encode();
}

it('reads what Go writes: inlined functions, hex for what has no symbol, negative and large values', () => {
  const profile = fromPprof(gzipSync(goProfile()));
  expect(contents(profile).slice(1)).toEqual([
    '0x7f00deadbeef|0x7f00deadbeef|/usr/bin/server:0@0;main.inlined|main.inlined|/src/main.go:0@30;main.main|main.main|/src/main.go:10@12 {} 0 -64 2 1099511627776',
    'main.inlined|main.inlined|/src/main.go:0@30;main.main|main.main|/src/main.go:10@12 {{"key":"bytes","number":512,"unit":""}} 1 512 3 1536',
  ]);
  expect(profile.facts).toMatchObject({ timeMs: 1_789_000_000_123, durationNanos: 1e10, period: 524288 });
});

describe('damaged pprof files are refused', () => {
  const raw = goProfile();
  const zipped = gzipSync(raw);
  it('wherever they are cut off', () => {
    for (let length = 0; length < zipped.length; length++)
      expect(() => fromPprof(zipped.subarray(0, length)), `at ${length}`).toThrow(/damaged|not a pprof profile/);
    // uncompressed, nothing marks the end: cut between two fields, only the facts that come last can be missing
    const whole = contents(fromPprof(raw));
    let refused = 0;
    for (let length = 0; length < raw.length; length++)
      try {
        expect(contents(fromPprof(raw.subarray(0, length)))).toEqual(whole);
      } catch (error) {
        expect(error, `at ${length}`).toMatchObject({ name: 'NodeopsError', code: 'failed' });
        refused++;
      }
    expect(raw.length - refused).toBeLessThanOrEqual(6);
  });

  it('whichever byte is changed, they are read or refused, never anything else', () => {
    for (let at = 0; at < raw.length; at++)
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Uint8Array.from(raw);
        changed[at]! ^= flip;
        try {
          fromPprof(changed);
        } catch (error) {
          expect(error).toMatchObject({ name: 'NodeopsError' });
        }
      }
  });

  it('what is something else, and what unpacks to too much', () => {
    expect(() => fromPprof(Buffer.from('<html>no</html>'))).toThrow(/not a pprof profile/);
    expect(() => fromPprof(gzipSync(Buffer.alloc(10_000_000)), { limitBytes: 1_000_000 })).toThrow(
      'the pprof profile is larger than 1000000 bytes',
    );
    expect(() => fromPprof(raw, { limitBytes: 100 })).toThrow('the pprof profile is larger than 100 bytes');
  });
});

it('the file is gzip around the protobuf', async () => {
  const profile = randomProfile(1);
  expect(gunzipSync(await toPprof(profile)).equals(encodePprof(profile))).toBe(true);
});

// a second opinion where there is one
if (hasGo())
  it('go tool pprof prints the same top as ours', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nodeops-pprof-'));
    try {
      const profile = randomProfile(3);
      const file = join(directory, 'profile.pb.gz');
      writeFileSync(file, await toPprof(profile));
      const args = ['tool', 'pprof', '-top', '-filefunctions', '-nodefraction=0', file];
      const output = execFileSync('go', args, { encoding: 'utf8' });
      const numbers = (text: string) =>
        [...text.matchAll(/^ +\S+ +\S+% +\S+% +\S+ +\S+% +f\d/gm)].map(([line]) => line);
      expect(numbers(output)).toEqual(numbers(top(profile, { nodeCount: 0, nodeFraction: 0 })));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

function hasGo(): boolean {
  try {
    execFileSync('go', ['tool', 'pprof', '-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as { status?: number | null }).status === 2;
  }
}
