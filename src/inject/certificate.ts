import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { webhookLimits } from './limits.ts';

export interface Certificate {
  /** PEM */
  readonly cert: string;
  /** PEM */
  readonly key: string;
  readonly expires: Date;
}

/** Reads `tls.crt` and `tls.key`, as a Secret of type kubernetes.io/tls mounts them. Throws when they do not fit together. */
export async function readCertificate(folder: string): Promise<Certificate> {
  const [cert, key] = await Promise.all(['tls.crt', 'tls.key'].map((name) => readFile(join(folder, name), 'utf8')));
  createSecureContext({ cert, key });
  return { cert: cert!, key: key!, expires: new Date(new X509Certificate(cert!).validTo) };
}

/**
 * Calls `onChange` with the certificate now and whenever it changes, until `signal` aborts. It looks every few seconds instead
 * of watching: a Secret's files are swapped by renaming a folder above them, which watching reports differently everywhere.
 * What cannot be read (not there yet, half written) goes to `onError` once a message, and the certificate in use stays.
 */
export async function followCertificate(
  folder: string,
  onChange: (certificate: Certificate) => void,
  onError: (error: unknown) => void,
  signal: AbortSignal,
  pollMs: number = webhookLimits.certificatePollMs,
): Promise<void> {
  let current = '';
  let complained = '';
  while (!signal.aborted) {
    try {
      const certificate = await readCertificate(folder);
      complained = '';
      if (certificate.cert + certificate.key !== current) {
        current = certificate.cert + certificate.key;
        onChange(certificate);
      }
    } catch (error) {
      if (String(error) !== complained) onError(error);
      complained = String(error);
    }
    await sleep(pollMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
