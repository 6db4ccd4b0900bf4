import { isCaptureName } from '../../protocol/captures.ts';
import { pathPrefix } from '../../protocol/wire.ts';

/** Whether a path (without its query) starts a capture or belongs to one. */
export function isJobPath(path: string): boolean {
  return isCaptureName(path.slice(pathPrefix.length)) || path.startsWith(`${pathPrefix}jobs/`);
}
