/**
 * What agents say to each other, as bytes. One line each way proves that both know the token, and neither shows it:
 *
 *     asker   NODEOPS/1 INTENT NONCE PORT
 *     asked   NODEOPS/1 proof NONCE PROOF          or, first, `NODEOPS/1 waking` while its worker starts
 *     asker   NODEOPS/1 proof PROOF
 *
 * After `introduce` the asked says who it is, a line of JSON, and ends. After `request` the connection carries HTTP.
 * A proof covers the intent, both nonces, who gives it, and the port that was dialled: one that is passed on to another port proves nothing.
 */
const start = 'NODEOPS/1 ';
const nonce = '[0-9a-f]{32}';
const proofText = '[0-9a-f]{64}|-';

export type Intent = 'introduce' | 'request';
export interface Opening {
  readonly intent: Intent;
  readonly nonce: string;
  /** The port that was dialled. */
  readonly port: number;
}

/** No line of a handshake is longer. */
export const lineBytes = 160;
/** Who a process is: its command line is the longest part. */
export const introductionBytes = 32 * 1024;

/** `maybe` while what has come could become one. */
export function isOpening(first: Uint8Array): boolean | 'maybe' {
  const text = Buffer.from(first.buffer, first.byteOffset, Math.min(first.length, start.length)).toString('latin1');
  if (text.length < start.length) return start.startsWith(text) ? 'maybe' : false;
  return text === start;
}

export function encodeOpening({ intent, nonce, port }: Opening): string {
  return `${start}${intent} ${nonce} ${port}\n`;
}

export function parseOpening(line: string): Opening | undefined {
  const [, intent, given, port] = openingPattern.exec(line) ?? [];
  return intent === undefined ? undefined : { intent: intent as Intent, nonce: given!, port: Number(port) };
}
const openingPattern = new RegExp(`^${start}(introduce|request) (${nonce}) (\\d{1,5})$`);

export const waking = `${start}waking\n`;

export function isWaking(line: string): boolean {
  return line === waking.slice(0, -1);
}

export function encodeAnswer(given: string, proof: string): string {
  return `${start}proof ${given} ${proof}\n`;
}

export function parseAnswer(line: string): { nonce: string; proof: string } | undefined {
  const [, given, proof] = answerPattern.exec(line) ?? [];
  return given === undefined ? undefined : { nonce: given, proof: proof! };
}
const answerPattern = new RegExp(`^${start}proof (${nonce}) (${proofText})$`);

export function encodeProof(proof: string): string {
  return `${start}proof ${proof}\n`;
}

export function parseProof(line: string): string | undefined {
  return proofPattern.exec(line)?.[1];
}
const proofPattern = new RegExp(`^${start}proof (${proofText})$`);

/** Takes lines off the front of what has come. Throws when one is longer than `limit`. */
export function lineReader(): { push(chunk: Buffer): void; line(limit: number): string | undefined; rest(): Buffer } {
  let bytes: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      bytes = bytes.length > 0 ? Buffer.concat([bytes, chunk]) : chunk;
    },
    line(limit) {
      const end = bytes.indexOf(10);
      if (end > limit || (end < 0 && bytes.length > limit))
        throw new RangeError(`a line is longer than ${limit} bytes`);
      if (end < 0) return undefined;
      const text = bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + 1);
      return text;
    },
    rest: () => bytes,
  };
}
