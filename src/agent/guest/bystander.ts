/** Where the preload entry does nothing: NODE_OPTIONS reaches npm, npx, build tools and every helper script of an image. */
import { realpathSync } from 'node:fs';
import { isatty } from 'node:tty';
import { isMainThread } from 'node:worker_threads';
import { attachMarker } from '../../protocol/attach.ts';
import { isSet } from '../settings.ts';

const shortLived = new Set([
  ...['npm', 'npx', 'yarn', 'yarnpkg', 'pnpm', 'pnpx', 'corepack', 'bower', 'lerna'],
  ...['node-gyp', 'node-pre-gyp', 'node-gyp-build', 'prebuild-install', 'husky', 'patch-package'],
  ...['typescript', 'tsc', 'eslint', 'prettier', 'rimraf', 'mkdirp', 'shx', 'cross-env'],
]);
const shortFlags =
  /^(?:-p|-pe|--print|-c|--check|-i|--interactive|-v|--version|-h|--help|--test|--v8-options|--prof-process|--completion-bash|--build-snapshot|--build-sea|--experimental-sea-config|--run)(?:=|$)/;

/** What the runtime cannot carry an agent in: a worker thread, an old Node, a permission model without workers. */
export function cannotHost(): boolean {
  if (!isMainThread || Number(process.versions.node.split('.')[0]) < 20) return true;
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission !== undefined && !permission.has('worker');
}

/** Whether this process is better left alone: told to, or not a program that lives. */
export function shouldStayOut(): boolean {
  if (isSet(process.env.NODEOPS_DISABLED) || cannotHost()) return true;
  // node --test runs each file in a child of its own
  if (process.execArgv.some((flag) => shortFlags.test(flag)) || process.env.NODE_TEST_CONTEXT) return true;
  const script = process.argv[1];
  // the plugin's helper in this container
  if (script === attachMarker) return true;
  if (script === undefined) return !process.execArgv.some((flag) => /^(?:-e|--eval)(?:=|$)/.test(flag)) && isatty(0);
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
