import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { releaseFolder } from '../bed/release.ts';
import { chart, helm } from '../helm/helm.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
let archive: string;
beforeAll(async () => {
  archive = join(await releaseFolder(), `nodeops-chart-${version}.tgz`);
});

it('the chart installs from its archive as from its folder', async () => {
  const rendered = (from: string) =>
    helm('template', 'nodeops', from, '-n', 'nodeops', '--kube-version', '1.35.2', '-f', values);
  const values = 'deploy/helm/nodeops/ci/own-certificate-values.yaml';
  expect(await rendered(archive)).toBe(await rendered(chart));
  await helm('lint', archive, '-f', values);
});

it('the chart is of the version of the plugin', async () => {
  expect(parse(await helm('show', 'chart', archive))).toMatchObject({ name: 'nodeops', version, appVersion: version });
  expect(await helm('show', 'readme', archive)).toMatch(/^# /);
});

it('Artifact Hub is told the image of the version', async () => {
  const { annotations } = parse(await helm('show', 'chart', archive));
  const images = parse(annotations['artifacthub.io/images']);
  expect(images).toMatchObject([{ image: `ghcr.io/nodeops/nodeops:${version}` }]);
  expect(parse(annotations['artifacthub.io/links'])).toHaveLength(1);
});
