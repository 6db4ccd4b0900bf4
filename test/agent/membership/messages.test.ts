/** What agents say to each other, on bytes. */
import { describe, expect, it } from 'vitest';
import {
  encodeAnswer,
  encodeOpening,
  encodeProof,
  isOpening,
  isWaking,
  lineBytes,
  lineReader,
  parseAnswer,
  parseOpening,
  parseProof,
  waking,
} from '../../../src/agent/membership/messages.ts';

const nonce = '0123456789abcdef'.repeat(2);
const proof = 'fedcba9876543210'.repeat(4);
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
const line = (text: string) => text.slice(0, -1);

describe('bytes', () => {
  it.each([
    [
      encodeOpening({ intent: 'introduce', nonce, port: 8848 }),
      `4e4f44454f50532f3120696e74726f6475636520${hex(nonce)}20383834380a`,
    ],
    [
      encodeOpening({ intent: 'request', nonce, port: 24576 }),
      `4e4f44454f50532f312072657175657374 20${hex(nonce)}2032343537360a`.replace(' ', ''),
    ],
    [encodeAnswer(nonce, proof), `4e4f44454f50532f312070726f6f6620${hex(nonce)}20${hex(proof)}0a`],
    [encodeProof('-'), '4e4f44454f50532f312070726f6f66202d0a'],
    [waking, '4e4f44454f50532f312077616b696e670a'],
  ])('of %j', (text, bytes) => {
    expect(hex(text)).toBe(bytes);
    expect(text.length).toBeLessThanOrEqual(lineBytes);
  });

  it('are read as they were written', () => {
    for (const intent of ['introduce', 'request'] as const)
      expect(parseOpening(line(encodeOpening({ intent, nonce, port: 65535 })))).toEqual({ intent, nonce, port: 65535 });
    for (const given of [proof, '-']) {
      expect(parseAnswer(line(encodeAnswer(nonce, given)))).toEqual({ nonce, proof: given });
      expect(parseProof(line(encodeProof(given)))).toBe(given);
    }
    expect(isWaking(line(waking))).toBe(true);
  });
});

describe('what is no message', () => {
  const opening = line(encodeOpening({ intent: 'request', nonce, port: 1 }));
  it.each([
    '',
    opening.toLowerCase(),
    ` ${opening}`,
    `${opening} `,
    `${opening}\r`,
    opening.replace('request', 'requests'),
    opening.replace(nonce, nonce.slice(1)),
    opening.replace(nonce, nonce.toUpperCase()),
    opening.replace(/1$/, '123456'),
    opening.replace(/1$/, '-1'),
    opening.replace('/1', '/2'),
  ])('opens nothing: %j', (text) => expect(parseOpening(text)).toBeUndefined());

  it.each(['', `NODEOPS/1 proof ${proof.slice(1)}`, `NODEOPS/1 proof ${proof}0`, 'NODEOPS/1 proof --'])(
    'proves nothing: %j',
    (text) => {
      expect(parseProof(text)).toBeUndefined();
      expect(parseAnswer(text)).toBeUndefined();
    },
  );
});

it('an opening is known by its first ten bytes, and possible with each of fewer', () => {
  const bytes = Buffer.from(encodeOpening({ intent: 'request', nonce, port: 1 }));
  for (let length = 0; length < 10; length++) expect(isOpening(bytes.subarray(0, length))).toBe('maybe');
  for (let length = 10; length < bytes.length; length++) expect(isOpening(bytes.subarray(0, length))).toBe(true);
  // gops' signals, HTTP, and what is nearly one
  for (const other of ['\x01', 'GET / HTTP/1.1', 'NODEOPS/2 ', 'NODEOPT'])
    expect(isOpening(Buffer.from(other))).toBe(false);
});

describe('lines', () => {
  it('come out the same however they were cut', () => {
    const bytes = Buffer.from('one\ntwö\n\nrest');
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = lineReader();
      reader.push(bytes.subarray(0, cut));
      const lines: string[] = [];
      const take = () => {
        for (let next = reader.line(16); next !== undefined; next = reader.line(16)) lines.push(next);
      };
      take();
      reader.push(bytes.subarray(cut));
      take();
      expect(lines).toEqual(['one', 'twö', '']);
      expect(reader.rest().toString()).toBe('rest');
    }
  });

  it('are refused when they are too long, ended or not', () => {
    for (const end of ['', '\n']) {
      const reader = lineReader();
      reader.push(Buffer.from(`${'x'.repeat(17)}${end}`));
      expect(() => reader.line(16)).toThrow(RangeError);
    }
    const reader = lineReader();
    reader.push(Buffer.from(`${'x'.repeat(16)}\n`));
    expect(reader.line(16)).toHaveLength(16);
  });
});
