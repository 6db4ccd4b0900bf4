/** The payload's bundle, read only when it is sent. */
import text from 'bundle:src/sidecar/payload.ts';

export const payloadText: string = text;
