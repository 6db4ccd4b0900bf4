/** Proofs that one knows the token, without saying it. Where no token is set there is nothing to prove, and no crypto is loaded. */
import { builtin } from '../builtin.ts';
import type { Opening } from './messages.ts';

const crypto = () => builtin<typeof import('node:crypto')>('node:crypto');
const none = '-';

export function newNonce(token: string | null): string {
  return token === null ? '0'.repeat(32) : crypto().randomBytes(16).toString('hex');
}

/** `by`: which side of the connection gives it. */
export function prove(
  token: string | null,
  by: 'asker' | 'asked',
  { intent, nonce, port }: Opening,
  other: string,
): string {
  if (token === null) return none;
  const text = `nodeops 1 ${by} ${intent} ${nonce} ${other} ${port}`;
  return crypto().createHmac('sha256', token).update(text).digest('hex');
}

export function isProof(given: string, wanted: string): boolean {
  if (wanted === none || given.length !== wanted.length) return given === wanted;
  return crypto().timingSafeEqual(Buffer.from(given), Buffer.from(wanted));
}
