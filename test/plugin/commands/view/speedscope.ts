import { createRequire } from 'node:module';
import { speedscopeScript } from '../../../bed/bundles.ts';

/** speedscope's files out of a bundle. */
export async function packedSpeedscope(): Promise<ReadonlyMap<string, Uint8Array>> {
  return createRequire(import.meta.url)(await speedscopeScript()).speedscopeFiles();
}
