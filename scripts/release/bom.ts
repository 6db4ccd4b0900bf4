/** What a release is made of, as CycloneDX. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';
import { repository } from './platforms.ts';
import runtimes from './runtimes.json' with { type: 'json' };

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
}

function component(type: Enums.ComponentType, { name, version, description, license }: Manifest): Models.Component {
  const [scope, bare] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name];
  const purl = new PackageURL('npm', scope, bare, version, undefined, undefined).toString();
  const found = new Models.Component(type, bare, {
    ...{ ...(scope === undefined ? {} : { group: scope }), version, purl, bomRef: purl },
    ...(description === undefined ? {} : { description }),
  });
  if (license !== undefined) found.licenses.add(licenseOf(license));
  return found;
}

const licenseOf = (terms: string) =>
  SPDX.isSupportedSpdxId(terms) ? new Models.SpdxLicense(terms) : new Models.NamedLicense(terms);

/** Writes the parts of the plugin, its executables and the image: npm packages in the bundles, and Node. */
export async function writeBom(output: string, bundled: readonly string[], date: Date): Promise<void> {
  const read = async (folder: string): Promise<Manifest> =>
    JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const product = component(Enums.ComponentType.Application, await read('dist/npm'));
  const bom = new Models.Bom();
  bom.metadata.component = product;
  bom.metadata.timestamp = date;
  product.externalReferences.add(new Models.ExternalReference(repository, Enums.ExternalReferenceType.VCS));
  const node = new Models.Component(Enums.ComponentType.Platform, 'node', {
    ...{ version: runtimes.version, purl: `pkg:generic/node@${runtimes.version}`, bomRef: 'node' },
    description: 'inside the executables; the script and the npm package run on the Node they find',
  });
  node.licenses.add(licenseOf('MIT'));
  const parts = [
    ...(await Promise.all(bundled.map(read))).map((one) => component(Enums.ComponentType.Library, one)),
    node,
  ];
  for (const part of parts) {
    bom.components.add(part);
    product.dependencies.add(part.bomRef);
  }
  // the same release has the same number, built twice or not
  bom.serialNumber = `urn:uuid:${uuid(parts.map(({ purl }) => purl).join() + date.toISOString())}`;
  const factory = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  await writeFile(output, `${new Serialize.JsonSerializer(factory).serialize(bom, { sortLists: true, space: 2 })}\n`);
}

/** A name-based UUID (version 8). */
function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
