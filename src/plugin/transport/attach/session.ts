/** Many connections over one stream: CONNECT streams of HTTP/2, whose flow control keeps a slow one from holding up the others. */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { attachWindowBytes } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { joined } from '../../../protocol/joined.ts';
import type { Transport } from '../../target.ts';

/** What all connections together may send before it is read. */
const sessionWindowBytes = 8 * attachWindowBytes;
/** The other side has settled within this, or it is no payload. */
const settleMs = 15_000;

export interface Session {
  /** A new connection. Throws what ended the session. */
  connect(): Promise<Transport>;
  /** What it ended with; undefined as long as it is open. */
  ended(): NodeopsError | undefined;
  close(): void;
}

/**
 * `stream` is what the payload speaks on; `expect` is told whether something is due on it. `why` words the end of the stream.
 * Throws what `why` says when the other side does not answer.
 */
export async function openSession(
  stream: Duplex,
  { why, expect = () => {} }: { why: (error?: Error) => Promise<NodeopsError>; expect?: (answer: boolean) => void },
): Promise<Session> {
  const session = connect('http://nodeops', {
    createConnection: () => stream,
    settings: { enablePush: false, initialWindowSize: attachWindowBytes },
  });
  const open = new Set<Duplex>();
  const due = new Set<Duplex>();
  let ended: NodeopsError | undefined;
  let ending: Promise<NodeopsError> | undefined;
  const end = (error?: Error): Promise<NodeopsError> => {
    ending ??= why(error).then((reason) => {
      ended = reason;
      for (const one of open) one.destroy(reason);
      session.destroy();
      stream.destroy();
      return reason;
    });
    return ending;
  };
  session.on('error', (error) => void end(error));
  session.on('close', () => void end());
  stream.on('error', (error) => void end(error));
  stream.on('close', () => void end());
  await settled(session, end);
  session.setLocalWindowSize(sessionWindowBytes);

  return {
    async connect() {
      if (ending) throw await ending;
      const http2 = session.request(
        { [constants.HTTP2_HEADER_METHOD]: 'CONNECT', [constants.HTTP2_HEADER_AUTHORITY]: 'nodeops' },
        { endStream: false },
      );
      const one = joined(http2, http2);
      open.add(one);
      // whoever uses the connection hears of errors; in between nobody may
      one.on('error', () => {});
      one.on('close', () => {
        open.delete(one);
        due.delete(one);
        expect(due.size > 0);
      });
      return Object.assign(one, {
        expectData(expecting: boolean) {
          if (expecting) due.add(one);
          else due.delete(one);
          expect(due.size > 0);
        },
      });
    },
    ended: () => ended,
    close() {
      ended ??= new NodeopsError('unreachable', 'the connection was closed');
      ending ??= Promise.resolve(ended);
      session.destroy();
      stream.destroy();
    },
  };
}

async function settled(session: ClientHttp2Session, end: (error?: Error) => Promise<NodeopsError>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`no answer within ${settleMs / 1_000} s`)), settleMs);
    const fail = (error?: Error) => {
      clearTimeout(timer);
      end(error).then(reject, reject);
    };
    session.once('remoteSettings', () => {
      clearTimeout(timer);
      session.off('close', fail);
      resolve();
    });
    session.once('close', fail);
  });
}
