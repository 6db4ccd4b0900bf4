/**
 * The server's end of a WebSocket as golang.org/x/net/websocket behaves, which `ws` cannot be made to: every client frame is
 * delivered on its own, also a fragment; a frame above the limit ends the connection; the close code is always 1000.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Largest frame a client may send. */
const frameLimitBytes = 32 * 1024 * 1024;
/** Buffered towards the client before its sources are paused. */
const highWaterBytes = 256 * 1024;

export interface SocketHandlers {
  /** Return a promise to hold back further frames until it settles. */
  onFrame(payload: Buffer): void | Promise<void>;
  onClose(): void;
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export class ServerWebSocket {
  readonly #socket: Duplex;
  readonly #handlers: SocketHandlers;
  readonly #idleMs: number;
  #idle: NodeJS.Timeout | undefined;
  #buffered: Buffer[] = [];
  #length = 0;
  #closed = false;

  private constructor(socket: Duplex, handlers: SocketHandlers, idleMs: number) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#idleMs = idleMs;
  }

  /** Answers the handshake and starts reading. */
  static accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    {
      protocol,
      idleMs,
      handlers,
    }: { protocol: string; idleMs: number; handlers: (socket: ServerWebSocket) => SocketHandlers },
  ): ServerWebSocket {
    const key = request.headers['sec-websocket-key'] ?? '';
    const accept = createHash('sha1')
      .update(key + guid)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    );
    const late: { handlers?: SocketHandlers } = {};
    const made: ServerWebSocket = new ServerWebSocket(
      socket,
      { onFrame: (payload) => late.handlers!.onFrame(payload), onClose: () => late.handlers!.onClose() },
      idleMs,
    );
    late.handlers = handlers(made);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => made.#ended());
    made.#touch();
    void made.#read(head);
    return made;
  }

  /** Sends one binary frame. False when the client is slow: wait for `drained()`. */
  send(...parts: Uint8Array[]): boolean {
    if (this.#closed || this.#socket.destroyed) return true;
    this.#touch();
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#socket.write(frameHead(0x82, length));
    for (const part of parts) this.#socket.write(part);
    return this.#socket.writableLength < highWaterBytes;
  }

  drained(): Promise<void> {
    if (this.#socket.writableLength < highWaterBytes || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  /** Close frame 1000, then the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#socket.write(Buffer.from([0x88, 2, 0x03, 0xe8]));
    this.#socket.end();
    // a client that never reads must not keep the connection
    setTimeout(() => this.#socket.destroy(), 5000).unref();
  }

  get closed(): boolean {
    return this.#closed || this.#socket.destroyed;
  }

  #touch(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#idleMs);
    this.#idle.unref();
  }

  #ended(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    this.#handlers.onClose();
  }

  async #read(head: Buffer): Promise<void> {
    if (head.length) this.#push(head);
    try {
      await this.#drain();
      for await (const chunk of this.#socket) {
        this.#push(chunk as Buffer);
        await this.#drain();
      }
    } catch {
      // reset by the client: 'close' tells the handlers
    }
    this.#socket.destroy();
  }

  #push(chunk: Buffer): void {
    this.#buffered.push(chunk);
    this.#length += chunk.length;
  }

  async #drain(): Promise<void> {
    for (let frame = this.#take(); frame; frame = this.#take()) {
      const { opcode, payload } = frame;
      if (opcode === 0x8) this.close();
      else if (opcode === 0x9) this.#socket.write(Buffer.concat([frameHead(0x8a, payload.length), payload]));
      else if (opcode <= 0x2 && !this.#closed) {
        this.#touch();
        await this.#handlers.onFrame(payload);
      }
    }
  }

  /** The next whole frame of what was received. Anything this end cannot accept ends the connection. */
  #take(): { opcode: number; payload: Buffer } | undefined {
    if (this.#length < 2) return undefined;
    const start = this.#peek(Math.min(14, this.#length));
    let at = 2;
    let length = start[1]! & 0x7f;
    if (length === 126) {
      if (start.length < 4) return undefined;
      length = start.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (start.length < 10) return undefined;
      length = Number(start.readBigUInt64BE(2));
      at = 10;
    }
    const masked = (start[1]! & 0x80) !== 0;
    if (!masked || length > frameLimitBytes) {
      this.close();
      this.#length = 0;
      this.#buffered = [];
      return undefined;
    }
    const total = at + 4 + length;
    if (this.#length < total) return undefined;
    const whole = this.#peek(total);
    const payload = Buffer.from(whole.subarray(at + 4, total));
    unmask(payload, whole.subarray(at, at + 4));
    this.#buffered[0] = whole.subarray(total);
    if (this.#buffered[0].length === 0 && this.#buffered.length > 1) this.#buffered.shift();
    this.#length -= total;
    return { opcode: start[0]! & 0x0f, payload };
  }

  /** At least `size` bytes from the front in one buffer; chunks are joined only when the first does not have them. */
  #peek(size: number): Buffer {
    if (this.#buffered[0]!.length < size) this.#buffered = [Buffer.concat(this.#buffered)];
    return this.#buffered[0]!;
  }
}

function frameHead(first: number, length: number): Buffer {
  if (length < 126) return Buffer.from([first, length]);
  if (length < 0x10000) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

function unmask(payload: Buffer, mask: Buffer): void {
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i & 3]!;
}
