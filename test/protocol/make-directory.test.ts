import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeDirectory } from '../../src/protocol/make-directory.ts';

const root = mkdtempSync(join(tmpdir(), 'nodeops-make-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('makes what is missing, and takes what is there', () => {
  const path = join(root, 'one/two/three');
  makeDirectory(path);
  makeDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  makeDirectory('/');
});

it('takes a link to a directory', () => {
  symlinkSync(root, join(root, 'link'));
  makeDirectory(join(root, 'link/inside'));
  expect(existsSync(join(root, 'inside'))).toBe(true);
});

it('fails where a file or a link to nothing is in the way', () => {
  writeFileSync(join(root, 'file'), '');
  symlinkSync('/nonexistent', join(root, 'nowhere'));
  expect(() => makeDirectory(join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectory(join(root, 'file/below'))).toThrow('ENOTDIR');
  expect(() => makeDirectory(join(root, 'nowhere/below'))).toThrow();
});

// mkdir's own `recursive` never returns from this
it.runIf(process.platform === 'linux')('fails where nothing can be made, instead of trying for ever', () => {
  expect(() => makeDirectory('/proc/nodeops/below')).toThrow('ENOENT');
});
