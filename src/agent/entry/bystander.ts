/** Where the preload entry does nothing: NODE_OPTIONS reaches npm, npx, build tools and every helper script of an image. */
import { realpathSync } from 'node:fs';
import { attachMarker } from '../../protocol/attach.ts';
import { builtin } from '../builtin.ts';
import { cannotHost, mayBeFromSnapshot } from '../main-thread/host.ts';
import { isSet } from '../settings/agent-settings.ts';

const shortLived = new Set([
  ...['npm', 'npx', 'yarn', 'yarnpkg', 'pnpm', 'pnpx', 'corepack', 'bower', 'lerna'],
  ...['node-gyp', 'node-pre-gyp', 'node-gyp-build', 'prebuild-install', 'husky', 'patch-package'],
  ...['typescript', 'tsc', 'eslint', 'prettier', 'rimraf', 'mkdirp', 'shx', 'cross-env'],
]);
const shortFlags =
  /^(?:-p|-pe|--print|-c|--check|-i|--interactive|-v|--version|-h|--help|--test|--v8-options|--prof-process|--completion-bash|--build-snapshot|--build-snapshot-config|--build-sea|--experimental-sea-config|--run)(?:=|$)/;

/** Whether this process is better left alone: told to, or not a program that lives. */
export function shouldStayOut(): boolean {
  if (isSet(process.env.NODEOPS_DISABLED) || cannotHost() || mayBeFromSnapshot()) return true;
  // node --test runs each file in a child of its own
  if (process.execArgv.some((flag) => shortFlags.test(flag)) || process.env.NODE_TEST_CONTEXT) return true;
  const script = process.argv[1];
  // the plugin's helper in this container
  if (script === attachMarker) return true;
  if (script === undefined)
    return (
      !process.execArgv.some((flag) => /^(?:-e|--eval)(?:=|$)/.test(flag)) &&
      builtin<typeof import('node:tty')>('node:tty').isatty(0)
    );
  return isShortLivedTool(script);
}

/** Whether a script is a package manager's or build tool's: by its own name, or by the package it lies in. */
export function isShortLivedTool(script: string): boolean {
  let path = script;
  try {
    path = realpathSync(script);
  } catch {
    // `node server` for server.js: the name as given is all there is
  }
  return [script, path].some((candidate) => {
    const parts = candidate.split(/[\\/]/);
    const file = parts
      .at(-1)!
      .replace(/\.[cm]?js$/, '')
      .replace(/-cli$/, '');
    const installed = parts.lastIndexOf('node_modules');
    return shortLived.has(file) || (installed >= 0 && shortLived.has(parts[installed + 1] ?? ''));
  });
}
