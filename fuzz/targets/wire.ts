import { parseIntroduction } from '../../src/agent/membership/introduction.ts';
import {
  encodeAnswer,
  encodeOpening,
  encodeProof,
  isOpening,
  lineBytes,
  lineReader,
  parseAnswer,
  parseOpening,
  parseProof,
} from '../../src/agent/membership/messages.ts';
import { parseListeners } from '../../src/agent/membership/ports.ts';
import { problemOf } from '../../src/plugin/client/validate.ts';
import { printable, printableReply, printableText } from '../../src/plugin/render/printable.ts';
import {
  closeChannel,
  decodeExit,
  decodeFrame,
  decodePort,
  encodeFrame,
} from '../../src/plugin/transport/kube/channels.ts';
import { parseForbidden, parseStatus } from '../../src/plugin/transport/kube/status.ts';
import { NodeopsError } from '../../src/protocol/errors.ts';
import type { GcReply, StackReply, VersionReply } from '../../src/protocol/replies.ts';
import { stackText } from '../../src/protocol/text/stack.ts';
import { maskText } from '../../src/secrets/text.ts';
import type { Target } from '../fuzz.ts';

const never = () => false;
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const text = (input: Uint8Array) => Buffer.from(input).toString('utf8');
function parsed(input: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text(input)) };
  } catch {
    // refused before it gets this far
    return undefined;
  }
}

const version: VersionReply = {
  ...{ agentVersion: '0.1.0', protocol: 1, nodeVersion: 'v24.0.0', v8Version: '13.6', platform: 'linux' },
  ...{ arch: 'x64', execPath: '/usr/bin/node' },
};
const frame = { function: 'handle', file: '/app/a.js', line: 3, column: 9 };
const stack = {
  threads: [{ id: 0, name: 'main', state: 'running', frames: [frame] }],
  pending: [{ type: 'Timeout', count: 2 }],
} as unknown as StackReply;
const gc = {
  ...{ freedBytes: 1, usedBeforeBytes: 3, usedAfterBytes: 2, totalBeforeBytes: 9, totalAfterBytes: 9, pauseMs: 4 },
} as GcReply;
const envelope = { at: '2026-01-01T00:00:00Z', process: { container: 'app', pid: 7 }, stuck: null, notes: [] };

/** What an agent replies: what the schema lets through can be printed, as text that moves no cursor. */
export const reply: Target = {
  seeds: [version, stack, gc].map((data) => json({ ...envelope, data })),
  words: ['"data"', '"threads"', '"frames"', '\u001b[2J', '-0'],
  run(input) {
    const found = parsed(input);
    if (!found) return;
    const value = printableReply(found.value);
    for (const operation of ['version', 'stack', 'gc'] as const) {
      if (problemOf(operation, value) !== undefined) continue;
      if (operation === 'stack') stackText((value as { data: StackReply }).data);
    }
  },
  isRefusal: never,
};

const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|^\s*::[a-z]|##\w*\[/im;
/** Whatever text is printed: no sequence gets through, and what is printed once is not changed by printing it again. */
export const printing: Target = {
  seeds: ['a name\u001b]0;x\u0007', '::error::x\n##vso[y]', '\u202eabc\u2066\r\n', '\u009b31m ok'].map((one) =>
    Buffer.from(one),
  ),
  words: ['\u001b[31m', '::', '##', '[', '\r', '\u2028', '\udb40\udc41'],
  run(input) {
    const shown = printableText(text(input), false);
    if (harmful.test(shown)) throw new Error(`got through: ${JSON.stringify(shown.slice(0, 200))}`);
    if (printableText(shown, false) !== shown) throw new Error('printing it again changes it');
    if (/[\n\t]/.test(printable(text(input)))) throw new Error('more than one line');
  },
  isRefusal: never,
};

const introduction = {
  info: {
    ...{ container: 'app', pid: 7, ppid: 1, name: 'server.js', command: 'node server.js', nodeVersion: 'v24.0.0' },
    ...{
      agentVersion: '0.1.0',
      startedAt: '2026-01-01T00:00:00Z',
      uid: 1000,
      leader: false,
      port: 24_600,
      parents: [],
    },
  },
  version,
  kin: { container: 'pid:[4026531836]', uid: 1000, readOnly: false },
  ...{ heapLimitBytes: 4e9, knownPort: 8848, role: 'standby' },
};
const nonce = '0123456789abcdef'.repeat(2);
const listeners = [
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
  '   0: 0100007F:6018 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0',
].join('\n');
/** What comes to an agent's port from whoever is in the pod, and what the kernel's table says. */
export const membership: Target = {
  seeds: [
    Buffer.from(encodeOpening({ intent: 'introduce', nonce, port: 24_600 })),
    Buffer.from(encodeAnswer(nonce, nonce + nonce) + encodeProof('-')),
    json(introduction),
    Buffer.from(listeners),
  ],
  words: ['"info"', '"pid"', nonce, '0A', ':'],
  run(input) {
    isOpening(input);
    const lines = lineReader();
    lines.push(Buffer.from(input));
    try {
      for (let line = lines.line(lineBytes); line !== undefined; line = lines.line(lineBytes)) {
        parseOpening(line);
        parseAnswer(line);
        parseProof(line);
      }
    } catch {
      // a line that is too long ends the connection
    }
    parseListeners(text(input));
    const found = parsed(input);
    const peer = found && parseIntroduction(found.value);
    if (peer && JSON.stringify(peer).length > 64 * 1024) throw new Error('an introduction without bounds');
  },
  isRefusal: never,
};

const refusal =
  'pods "api-0" is forbidden: User "jane" cannot create resource "pods/portforward" in API group "" in the namespace "shop"';
/** Frames of port-forward and exec, and what an API server says of a failure. */
export const kubernetes: Target = {
  seeds: [
    encodeFrame(0, Buffer.from([0x90, 0x22])),
    encodeFrame(
      3,
      json({
        metadata: {},
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '2' }] },
      }),
    ),
    encodeFrame(closeChannel, Buffer.from([1])),
    json({ kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden', message: refusal }),
  ],
  words: ['"details"', '"causes"', '"message"', 'forbidden'],
  run(input) {
    const decoded = decodeFrame(Buffer.from(input));
    if (decoded) {
      decodePort(decoded.payload);
      decodeExit(decoded.payload);
    }
    parseForbidden(parseStatus(text(input)).message ?? '');
  },
  isRefusal: (error) => error instanceof NodeopsError && !/\n/.test(error.message),
};

const secret = 'hunter2hunter2';
/** Text that goes into reports and bundles: masking takes time in proportion, and never fails. */
export const masking: Target = {
  seeds: [`DB_PASSWORD=${secret} node app.js`, `postgres://u:${secret}@db/x`, '{"token":"abc","a":[1]}'].map((one) =>
    Buffer.from(one),
  ),
  words: ['PASSWORD=', '://', '@', '"', 'Bearer ', '-----BEGIN', '\\'],
  run: (input) => maskText(text(input)),
  isRefusal: never,
};
