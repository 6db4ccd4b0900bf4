import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { helmPath } from '../../test/binaries/kubectl.ts';
import { type Entry, fileEntry, gzipped, tar } from './archive.ts';

const run = promisify(execFile);

/** What `helm package` makes of the chart, with the dates and owners of a release: the same bytes twice. */
export async function writeChart(output: string, version: string, date: Date): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nodeops-chart-'));
  try {
    const helm = await helmPath();
    const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const arguments_ = ['package', 'deploy/helm/nodeops', '-d', folder, '--version', version, '--app-version', version];
    await run(helm, arguments_, { env });
    await run('tar', ['-xzf', join(folder, `nodeops-${version}.tgz`), '-C', folder]);
    const names = (await readdir(join(folder, 'nodeops'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
    // helm wants Chart.yaml first
    const order = names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
    const entries: Entry[] = await Promise.all(order.map((name) => fileEntry(name, join(folder, name))));
    await writeFile(output, await gzipped(await tar(entries, date), 'best'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const rank = (name: string) => ['nodeops/Chart.yaml', 'nodeops/values.yaml'].indexOf(name) + 1 || 3;
