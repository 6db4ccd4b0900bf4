import { createRequire } from 'node:module';

let load: NodeJS.Require | undefined;

/** Loads a `node:` module only when it is needed, at once, and from ESM too: what an app does not use costs its start nothing. */
export function builtin<T>(name: `node:${string}`): T {
  load ??= createRequire(process.execPath);
  return load(name) as T;
}
