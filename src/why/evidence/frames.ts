/** Whose code a frame is, and how it is written. */
import type { Frame } from '../../protocol/replies.ts';

export type Owner = 'app' | 'package' | 'node' | 'engine';

/** The agent's own files: what it does on the main thread is not the app's. */
const ownFile = /(?:^|[/\\])(?:agent|nodeops)[/\\](?:preload|index|worker)\.[cm]js$/;

export function ownerOf({ file }: Frame): Owner {
  if (file === '' || file === '(no file)' || file.startsWith('native')) return 'engine';
  if (/^node:|^internal\//.test(file) || ownFile.test(file)) return 'node';
  return /(?:^|[/\\])node_modules[/\\]/.test(file) ? 'package' : 'app';
}

/** `pg` of `/app/node_modules/pg/lib/client.js`, `@scope/name` alike; of the innermost node_modules. */
export function packageOf({ file }: Frame): string | null {
  const [, name] =
    /.*[/\\]node_modules[/\\](?:\.pnpm[/\\][^/\\]+[/\\]node_modules[/\\])?((?:@[^/\\]+[/\\])?[^/\\]+)/.exec(file) ?? [];
  return name ?? null;
}

/** The innermost frame that is neither the engine's nor Node's: the app's own where there is one, else a package's. */
export function callerOf(frames: readonly Frame[]): Frame | null {
  return (
    frames.find((frame) => ownerOf(frame) === 'app') ?? frames.find((frame) => ownerOf(frame) === 'package') ?? null
  );
}

/** `hashPassword src/auth.js:12`; paths as they are, shortened to their last three parts. */
export function placeOf(frame: Frame): string {
  return `${nameOf(frame)} (${fileOf(frame)}:${frame.line})`;
}

export function isAnonymous({ function: name }: Frame): boolean {
  return name === '' || name === '(anonymous)';
}

export function nameOf(frame: Frame): string {
  return isAnonymous(frame) ? 'an anonymous function' : frame.function;
}

/** As placeOf of the first frame; of an anonymous one with the nearest named caller of the same owner. */
export function placeIn(frames: readonly Frame[]): string {
  const [frame, ...callers] = frames as [Frame, ...Frame[]];
  if (!isAnonymous(frame)) return placeOf(frame);
  const named = callers.find((caller) => ownerOf(caller) === ownerOf(frame) && !isAnonymous(caller));
  return named ? `${placeOf(frame)} of ${named.function}` : placeOf(frame);
}

export function fileOf({ file }: Frame): string {
  const parts = file.split(/[/\\]/);
  return parts.length > 4 ? parts.slice(-3).join('/') : file;
}

/** Equal for frames of the same function, whatever line of it runs. */
export function functionKey({ function: name, file }: Frame): string {
  return `${name}\n${file}`;
}
