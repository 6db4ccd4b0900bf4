import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ArtifactStore } from '../../../src/agent/captures/artifact-store.ts';
import { artifactSettings } from '../../../src/agent/settings/artifact-settings.ts';
import { removeOwnArtifacts } from '../../../src/agent/store/directory.ts';
import { ownPrefix } from '../../../src/agent/store/owner.ts';
import { limits } from '../../../src/protocol/limits.ts';
import { cleanUp, filesIn, temporaryDirectory } from './harness.ts';

afterAll(cleanUp);

const own = `nodeops-${process.getuid!()}`;
const storeIn = (directory: string, limitBytes = 1e9) => new ArtifactStore({ directory, limitBytes });

describe('the artifact store', () => {
  it('writes files only their owner can read, and renames them when they are whole', () => {
    const base = temporaryDirectory();
    const { artifact, note } = storeIn(base).create('id', 'json');
    artifact.writeSync('{}');
    expect(note).toBeUndefined();
    expect(filesIn(join(base, own))).toEqual([`${ownPrefix()}id.json.part`]);
    artifact.finish();
    expect(readFileSync(artifact.path!, 'utf8')).toBe('{}');
    expect(lstatSync(artifact.path!).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(base, own)).mode & 0o777).toBe(0o700);
    artifact.remove();
    expect(filesIn(join(base, own))).toEqual([]);
  });

  it('follows no link that somebody put in the place of its directory', () => {
    const base = temporaryDirectory();
    const elsewhere = temporaryDirectory();
    symlinkSync(elsewhere, join(base, own));
    const { artifact, note } = storeIn(base).create('id', 'json');
    expect(artifact.path).toBeNull();
    expect(note).toContain('is not a directory');
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('keeps in memory where a file is in the way of the directory', () => {
    const base = join(temporaryDirectory(), 'file');
    writeFileSync(base, '');
    expect(storeIn(base).create('id', 'json').note).toMatch(/kept in memory only.*(EEXIST|ENOTDIR)/);
  });

  it('gives up the oldest finished artifact for a new one, and no unfinished one', () => {
    const kilobytes = (count: number) => 'x'.repeat(count * 1024);
    const store = storeIn(temporaryDirectory(), 1024 * 1024);
    const [first, second, third] = ['1', '2', '3'].map((id) => store.create(id, 'json').artifact);
    first!.writeSync(kilobytes(400));
    first!.finish();
    store.finished(first!);
    second!.writeSync(kilobytes(500));
    third!.writeSync(kilobytes(400));
    expect([first!.removed, existsSync(first!.path!)]).toEqual([true, false]);
    expect(() => third!.writeSync(kilobytes(200))).toThrow(
      expect.objectContaining({
        code: 'no-space',
        message: expect.stringMatching(/one more has 5\d\d.*nothing of this one is kept/),
      }),
    );
    third!.remove();
    second!.writeSync(kilobytes(524));
    expect(second!.bytes).toBe(1024 * 1024);
  });

  it('removes what ended processes left, and nothing of others', () => {
    const base = temporaryDirectory();
    const directory = join(base, own);
    mkdirSync(directory, { mode: 0o700 });
    const [namespace, , start] = ownPrefix().split('-');
    const dead = `${namespace}-4194304-1-a.json.part`;
    const reused = `${namespace}-${process.pid}-1-b.json`;
    const alive = `${namespace}-${process.pid}-${start}-c.json`;
    const [foreign, foreignOld, unrelated] = ['1-1-1-d.json', '1-1-1-e.json', 'notes.txt'];
    for (const name of [dead, reused, alive, foreign, foreignOld, unrelated]) writeFileSync(join(directory, name), '');
    utimesSync(join(directory, foreignOld), 0, 0);
    storeIn(base).create('id', 'json').artifact.remove();
    expect(filesIn(directory).sort()).toEqual([alive, foreign, unrelated].sort());
    removeOwnArtifacts(base);
    expect(filesIn(directory).sort()).toEqual([foreign, unrelated].sort());
  });

  // a file system of its own needs root; where that is not to be had the store's own limit is what the tests above show
  it.runIf(process.getuid!() === 0)('says that the disk is full, and keeps some of it for the app', () => {
    const mount = temporaryDirectory();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', mount]);
    try {
      const store = storeIn(mount);
      const { artifact } = store.create('id', 'json');
      expect(artifact.memoryPerByte).toBe(1);
      const piece = 'x'.repeat(1024 * 1024);
      expect(() => {
        for (let i = 0; i < 40; i++) artifact.writeSync(piece);
      }).toThrow(expect.objectContaining({ code: 'no-space', hint: expect.stringContaining('volume') }));
      artifact.remove();
      expect(filesIn(join(mount, own))).toEqual([]);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
});

describe('its settings', () => {
  it('come from the environment, and say what makes no sense', () => {
    const standard = { directory: tmpdir(), limitBytes: limits.artifactStoreBytes, keptBytes: 0, notes: [] };
    expect(artifactSettings({})).toEqual(standard);
    // what outlives the process has its part of the whole
    expect(artifactSettings({ NODEOPS_ARTIFACTS_DIR: '/artifacts', NODEOPS_ARTIFACTS_SIZE: '1000' })).toEqual({
      ...standard,
      ...{ directory: '/artifacts', limitBytes: 750, keptBytes: 250 },
    });
    expect(artifactSettings({ NODEOPS_ARTIFACTS_SIZE: 'lots' }).notes).toHaveLength(1);
  });
});
