import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRules } from '../../../src/agent/triggers/rules.ts';

let volume = '';
let now = 0;
const clock = () => now;
beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'nodeops-rules-'));
});
afterEach(() => {
  rmSync(volume, { recursive: true, force: true });
});

/** As a kubelet writes a ConfigMap: a new directory, to which the link `..data` is moved in one step. */
function publish(name: string, files: Record<string, string>): void {
  const directory = join(volume, `..${name}`);
  mkdirSync(directory);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  symlinkSync(`..${name}`, join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
}

const cpu = (percent: number) => `when cpu > ${percent}% capture stack`;
const file = () => join(volume, 'triggers');

describe('rules of a mounted ConfigMap', () => {
  it('are read again after the swap of its link, also where size and time of the file are the same', () => {
    publish('2026_1', { triggers: cpu(80) });
    symlinkSync('..data/triggers', file());
    const rules = readRules({ text: null, file: file() }, clock);
    expect(rules.look()).toMatchObject([{ text: cpu(80), source: file() }]);
    const before = rules.look();
    publish('2026_2', { triggers: cpu(90) });
    for (const name of ['2026_1', '2026_2'])
      execFileSync('touch', ['-d', '2026-06-01T00:00:00Z', join(volume, `..${name}`, 'triggers')]);
    rmSync(join(volume, '..2026_1'), { recursive: true });
    now += 4_000;
    expect(rules.look()).toBe(before);
    now += 1_000;
    expect(rules.look()).toMatchObject([{ text: cpu(90) }]);
  });

  it('stay while a link leads nowhere for a moment, and go when it still does a second later', () => {
    publish('1', { triggers: cpu(80) });
    symlinkSync('..data/triggers', file());
    const rules = readRules({ text: null, file: file() }, clock);
    expect(rules.look()).toHaveLength(1);
    unlinkSync(join(volume, '..data'));
    now += 5_000;
    expect(rules.look()).toHaveLength(1);
    expect(rules.errors()).toEqual([]);
    symlinkSync('..1', join(volume, '..data'));
    now += 1_000;
    expect(rules.look()).toHaveLength(1);
    unlinkSync(join(volume, '..data'));
    now += 5_000;
    rules.look();
    now += 1_000;
    expect(rules.look()).toEqual([]);
    expect(rules.errors()).toEqual([expect.stringMatching(/^NODEOPS_TRIGGERS_FILE cannot be read: ENOENT/)]);
  });

  it('may come after the process has started', () => {
    const rules = readRules({ text: null, file: file() }, clock);
    expect(rules.look()).toEqual([]);
    expect(rules.errors()).toEqual([expect.stringContaining('ENOENT')]);
    publish('1', { triggers: cpu(80) });
    symlinkSync('..data/triggers', file());
    now += 5_000;
    expect(rules.look()).toHaveLength(1);
    expect(rules.errors()).toEqual([]);
  });

  it('count beside those of the variable, each once', () => {
    writeFileSync(file(), `${cpu(80)}\n${cpu(90)}\nnonsense`);
    const rules = readRules({ text: `${cpu(70)}; ${cpu(80)}; what`, file: file() }, clock);
    expect(rules.look()).toMatchObject([
      { text: cpu(70), source: 'NODEOPS_TRIGGERS' },
      { text: cpu(80), source: 'NODEOPS_TRIGGERS' },
      { text: cpu(90), source: file() },
    ]);
    expect(rules.errors()).toEqual([
      expect.stringContaining("NODEOPS_TRIGGERS, line 1: 'what'"),
      expect.stringContaining(`${file()}, line 3: 'nonsense'`),
    ]);
  });

  it.each([
    ['a pipe that nobody writes to', () => execFileSync('mkfifo', [file()]), /is not a file/],
    ['a directory', () => mkdirSync(file()), /is not a file/],
    ['too large', () => writeFileSync(file(), 'x'.repeat(65_537)), /larger than 65536 bytes/],
  ])('are none where the file is %s', (_, make, message) => {
    make();
    const rules = readRules({ text: null, file: file() }, clock);
    expect(rules.look()).toEqual([]);
    expect(rules.errors()).toEqual([expect.stringMatching(message)]);
  });
});
