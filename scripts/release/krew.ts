import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { archiveFile, executableName, type Platform, releaseUrl, repository } from './platforms.ts';

export const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

const description = `Finds the Node.js processes of your pods and says what is wrong with them: a blocked event loop, a
leak, a full pool, an upstream that hangs. Takes CPU and heap profiles, snapshots and traces, and
brings them home. Pods need no preparation: distroless, read-only and non-root ones are looked into
through exec. Everything goes through the API server (pods/portforward, pods/exec).
`;
const caveats = `Ask a pod at once:             kubectl nodeops why pod/NAME --attach=exec
Completion for kubectl:        kubectl nodeops completion install
What stands in the way of it:  kubectl nodeops doctor pod/NAME
`;

/** The manifest for krew's index, of the archives in `folder`. */
export async function writeKrewManifest(
  folder: string,
  version: string,
  platforms: readonly Platform[],
): Promise<void> {
  const entries = platforms.map(async (platform) => {
    const file = archiveFile(version, platform);
    return {
      selector: { matchLabels: { os: platform.os, arch: platform.arch } },
      uri: releaseUrl(version, file),
      sha256: sha256(await readFile(join(folder, file))),
      bin: executableName(platform),
    };
  });
  const manifest = {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'nodeops' },
    spec: {
      version: `v${version}`,
      homepage: repository,
      shortDescription: 'Say what is wrong with a Node.js process in a pod',
      ...{ description, caveats, platforms: await Promise.all(entries) },
    },
  };
  await writeFile(join(folder, 'nodeops.yaml'), stringify(manifest, { lineWidth: 0 }));
}
