/** Whether a container has the memory that attaching takes: one that runs out of it is killed, the app with it. */
import type { Greeting } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { bytesShort as bytes } from '../../../protocol/text/quantities.ts';

/**
 * What a payload takes in its container. Measured on Node 18 to 26: 60 to 77 MB RSS, of which 22 to 26 are its own; the rest is
 * Node's executable, which the container has in memory already when it is the app's.
 */
export const payloadBytes = 64 * 1024 * 1024;

/** By the limit alone, before anything runs there. Throws `refused`. */
export function checkLimit(name: string, limitBytes: number | null): void {
  if (limitBytes === null || limitBytes >= payloadBytes) return;
  throw refused(`${name} has a memory limit of ${bytes(limitBytes)}`);
}

/** By what the loader saw of the cgroup. Throws `refused`. */
export function checkHeadroom(name: string, { limitBytes, usedBytes }: Greeting): void {
  if (limitBytes === null || usedBytes === null || limitBytes - usedBytes >= payloadBytes) return;
  throw refused(`${name} uses ${bytes(usedBytes)} of its memory limit of ${bytes(limitBytes)}`);
}

function refused(what: string): NodeopsError {
  return new NodeopsError('refused', `${what}, and attaching takes about ${bytes(payloadBytes)} of it`, {
    hint: '--attach=ephemeral runs outside that limit; --attach-force attaches although the app may be killed',
  });
}

/** A Kubernetes quantity of memory in bytes (`512Mi`, `1G`, `1e9`); null for what is none. */
export function memoryQuantity(text: string | undefined): number | null {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?(?:e\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.exec(text ?? '') ?? [];
  if (amount === undefined) return null;
  if (unit === 'm') return Number(amount) / 1_000;
  const power = 'kMGTPE'.indexOf(unit.replace('i', '').replace('K', 'k')) + 1;
  return Number(amount) * (unit.endsWith('i') ? 1_024 : 1_000) ** (unit === '' ? 0 : power);
}
