import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseDestination } from '../../../src/plugin/captures/destination.ts';
import { artifactStem, safePart } from '../../../src/plugin/captures/filename.ts';
import { localFailure } from '../../../src/plugin/captures/local-failure.ts';
import { PartFile } from '../../../src/plugin/captures/part-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-saving-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const bytes = (text: string) => Buffer.from(text);

describe('a name', () => {
  const at = new Date('2026-11-22T23:15:00.000Z');
  const nobody = { namespace: null, pod: null, container: null, pid: null, address: null };

  it.each([
    [{ pod: 'api-0', container: 'web', pid: 7 }, 'api-0.web.7.20261122T231500Z'],
    [{ pod: 'api-0', pid: 7 }, 'api-0.7.20261122T231500Z'],
    [{ address: '127.0.0.1:8848', pid: 7 }, '127.0.0.1-8848.7.20261122T231500Z'],
    [{ address: '[::1]:8848', pid: 7 }, '1-8848.7.20261122T231500Z'],
    [{ address: 'process 7', pid: 7 }, 'node.7.20261122T231500Z'],
  ])('says pod, container, pid and time: %j', (parts, stem) => {
    expect(artifactStem({ ...nobody, ...parts }, at)).toBe(stem);
  });

  it.each(['../../etc/passwd', '/etc/passwd', '.ssh', '-rf', 'a\0b', 'a\nb', 'C:\\x', '…', '..', '', 'x'.repeat(5000)])(
    'never leaves its directory: %j',
    (text) => {
      expect(safePart(text)).toMatch(/^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_])?$/);
      expect(safePart(text)).not.toContain('..');
    },
  );
});

describe('--output', () => {
  const choose = (output: string | undefined, count = 1, overwrite = false) =>
    chooseDestination(output, { count, overwrite });

  it('is a directory, a file or stdout', async () => {
    expect(await choose(directory)).toEqual({ kind: 'directory', directory });
    expect(await choose('-')).toEqual({ kind: 'stdout' });
    expect(await choose(join(directory, 'a.cpu.pb.gz'))).toMatchObject({
      kind: 'file',
      name: { directory, stem: 'a.cpu', extension: '.pb.gz' },
    });
    expect(await choose(undefined)).toEqual({ kind: 'directory', directory: process.cwd() });
  });

  it('for several processes is a directory', async () => {
    await expect(choose('-', 2)).rejects.toMatchObject({ code: 'usage', hint: 'name a directory' });
    await expect(choose(join(directory, 'x'), 2)).rejects.toMatchObject({ code: 'usage' });
    expect(await choose(directory, 2)).toMatchObject({ kind: 'directory' });
  });

  it('does not name what exists, unless told to replace it', async () => {
    const file = join(directory, 'there');
    await writeFile(file, 'x');
    await expect(choose(file)).rejects.toMatchObject({
      code: 'local-file',
      message: `cannot write ${file}: it exists`,
      hint: 'add --overwrite, or name another file',
    });
    expect(await choose(file, 1, true)).toMatchObject({ kind: 'file', overwrite: true });
  });

  it('says what is wrong with a place before anything is captured', async () => {
    const file = join(directory, 'file');
    await writeFile(file, 'x');
    const missing = join(directory, 'missing');
    await expect(choose(join(missing, 'a'))).rejects.toMatchObject({
      message: `cannot write ${join(missing, '*')}: ${missing} does not exist`,
      hint: `mkdir -p ${missing}`,
    });
    await expect(choose(`${missing}/`)).rejects.toMatchObject({ hint: `mkdir -p ${missing}` });
    await expect(choose(`${file}/`)).rejects.toThrow('is not a directory');
    await expect(choose(join(file, 'a'))).rejects.toThrow('is not a directory');
    await expect(choose('/dev/null', 1, true)).rejects.toThrow('it is no regular file');
    await expect(choose('')).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a file being written', () => {
  const name = (stem = 'a') => ({ directory, stem, extension: '.pb.gz' });

  it('is NAME.part, for its owner only, until it is whole', async () => {
    const part = await PartFile.create(name());
    await part.write(bytes('hello '));
    await part.write(bytes('world'));
    expect(await readdir(directory)).toEqual(['a.pb.gz.part']);
    expect((await stat(part.path)).mode & 0o777).toBe(0o600);
    expect(await part.keep()).toBe(join(directory, 'a.pb.gz'));
    expect(await readdir(directory)).toEqual(['a.pb.gz']);
    expect(await readFile(join(directory, 'a.pb.gz'), 'utf8')).toBe('hello world');
    await part.discard();
    expect(await readdir(directory)).toEqual(['a.pb.gz']);
  });

  it('leaves nothing when it is discarded', async () => {
    const part = await PartFile.create(name());
    await part.write(bytes('x'));
    await part.discard();
    await part.discard();
    expect(await readdir(directory)).toEqual([]);
  });

  it('gets a number where its name is taken, also by a link that leads nowhere', async () => {
    await writeFile(join(directory, 'a.pb.gz'), 'theirs');
    await symlink('/nonexistent', join(directory, 'a-2.pb.gz'));
    const part = await PartFile.create(name());
    await part.write(bytes('ours'));
    expect(await part.keep()).toBe(join(directory, 'a-3.pb.gz'));
    expect(await readFile(join(directory, 'a.pb.gz'), 'utf8')).toBe('theirs');
  });

  it('replaces what is there only when told to', async () => {
    await writeFile(join(directory, 'a.pb.gz'), 'theirs');
    const part = await PartFile.create(name());
    await part.write(bytes('ours'));
    expect(await part.keep({ overwrite: true })).toBe(join(directory, 'a.pb.gz'));
    expect(await readFile(join(directory, 'a.pb.gz'), 'utf8')).toBe('ours');
  });

  it('does not follow a link, and two of one name do not meet', async () => {
    const victim = join(directory, 'victim');
    await symlink(victim, join(directory, 'a.pb.gz.part'));
    const [one, two] = await Promise.all([PartFile.create(name()), PartFile.create(name())]);
    await Promise.all([one.write(bytes('one')), two.write(bytes('two'))]);
    const paths = await Promise.all([one.keep(), two.keep()]);
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    expect(texts).toEqual(['one', 'two']);
    expect(new Set(paths).size).toBe(2);
    await expect(stat(victim)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes other content in its place', async () => {
    const part = await PartFile.create(name());
    await part.write(bytes('a long first version'));
    expect(Buffer.from(await part.content()).toString()).toBe('a long first version');
    await part.replace(bytes('short'));
    expect(part.bytes).toBe(5);
    expect(await readFile(await part.keep(), 'utf8')).toBe('short');
  });

  it('says when there is not enough room', async () => {
    const part = await PartFile.create(name());
    await part.reserve(1);
    await expect(part.reserve(2 ** 60)).rejects.toMatchObject({
      code: 'local-file',
      message: expect.stringMatching(/it takes 1024\.0PB, and .* are free on the device/),
    });
    await part.discard();
  });
});

it('failures of the file system are told in words', () => {
  const error = localFailure('/data/x.part', Object.assign(new Error('ENOSPC: boo'), { code: 'ENOSPC' }));
  expect(error).toMatchObject({
    code: 'local-file',
    message: 'cannot write /data/x.part: no space left on the device',
    detail: { path: '/data/x.part', errno: 'ENOSPC' },
  });
});
