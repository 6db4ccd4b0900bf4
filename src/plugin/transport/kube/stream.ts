/**
 * One direction-paired stream over a channel WebSocket: backpressure both ways, keepalive, and noticing that it stands still.
 */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { NodeopsError } from '../../../protocol/errors.ts';
import { closeChannel, decodeFrame, encodeFrame } from './channels.ts';

export interface StreamSettings {
  /** Silence after which an empty message is sent, so that idle timers on the way start anew. @default 20_000 */
  readonly keepaliveMs?: number;
  /** Silence, while data is awaited, after which the server and the pod are probed. @default 3_000 */
  readonly probeMs?: number;
  /** A server that answers no ping for this long is taken for dead. @default 10_000 */
  readonly pongTimeoutMs?: number;
}

export interface ChannelStreamOptions extends StreamSettings {
  /** What messages call the other side: `pod 'api-0' in namespace 'default'`. */
  readonly name: string;
  /** Channel of what is read, and of what is written. */
  readonly readChannel: number;
  readonly writeChannel: number;
  /** Whether the end of writing can be told to the other side (v5). */
  readonly tellsEnd: boolean;
  /**
   * Sees each message; returns true to keep it from the reader. An error it returns ends the stream.
   */
  readonly inspect: (channel: number, payload: Buffer) => boolean | Promise<NodeopsError>;
  /** Looks at the pod while the stream stands still; resolves to what to end it with, if it is gone. */
  readonly lookAfter: (openMs: number) => Promise<NodeopsError | undefined>;
}

/** One message to the server: it refuses more than 32 MiB and must never be fragmented. */
const messageBytes = 256 * 1024;
/** Between looks at the pod of a stream that stands still, at most. */
const longestProbeMs = 30_000;

/** Takes over an open, paused socket. Destroyed with a NodeopsError when it fails; destroying it closes the socket. */
export class ChannelStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #options: ChannelStreamOptions;
  readonly #openedAt = performance.now();
  readonly #keepalive: NodeJS.Timeout;
  readonly #probeMs: number;
  #probe: NodeJS.Timeout | undefined;
  #expecting = false;
  #paused = true;
  #failing = false;
  #receivedAt = performance.now();
  /** When the ping was sent that has not been answered. */
  #pingedAt: number | undefined;

  constructor(socket: WebSocket, options: ChannelStreamOptions) {
    super({ allowHalfOpen: true, highWaterMark: 256 * 1024 });
    this.#socket = socket;
    this.#options = options;
    this.#probeMs = options.probeMs ?? 3_000;
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('pong', () => {
      this.#pingedAt = undefined;
    });
    socket.on('close', (code) => this.#closed(code));
    socket.on('error', (cause) => this.#cut(cause));
    this.#keepalive = setInterval(
      () => socket.send(encodeFrame(options.writeChannel, Buffer.alloc(0)), ignore),
      options.keepaliveMs ?? 20_000,
    );
    this.#keepalive.unref();
    this.#resume();
  }

  /**
   * Tells whether an answer is due. Only then does silence mean something: the server is pinged and the pod looked at, and
   * the stream is destroyed with `stalled` when one of them is gone.
   */
  expectData(expecting: boolean): void {
    if (expecting === this.#expecting) return;
    this.#expecting = expecting;
    clearTimeout(this.#probe);
    this.#receivedAt = performance.now();
    this.#pingedAt = undefined;
    if (expecting) this.#probeIn(this.#probeMs, this.#probeMs);
  }

  /** As net.Socket's: destroys once everything written is sent. */
  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy()).end();
  }

  override _read(): void {
    this.#resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const sendFrom = (offset: number) => {
      const end = Math.min(offset + messageBytes, chunk.length);
      this.#keepalive.refresh();
      // the callback comes when the socket has taken it: that is the backpressure
      this.#socket.send(encodeFrame(this.#options.writeChannel, chunk.subarray(offset, end)), (error) => {
        // while a failure is being explained its error is the one that counts
        if (error && this.#failing) return;
        if (error) done(this.destroyed ? null : this.#cutError(error));
        else if (end < chunk.length) sendFrom(end);
        else done();
      });
    };
    if (chunk.length === 0) done();
    else sendFrom(0);
  }

  override _final(done: (error?: Error | null) => void): void {
    const open = this.#socket.readyState === this.#socket.OPEN;
    if (open && this.#options.tellsEnd)
      this.#socket.send(Buffer.of(closeChannel, this.#options.writeChannel), () => done());
    else done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#keepalive);
    clearTimeout(this.#probe);
    this.#expecting = false;
    if (error) this.#socket.terminate();
    else closeSoon(this.#socket);
    done(error);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#receivedAt = performance.now();
    this.#pingedAt = undefined;
    this.#keepalive.refresh();
    if (this.destroyed || this.#failing) return;
    if (!isBinary) {
      const message = `the API server sent text where ${this.#options.name} was to speak`;
      this.#fail(new NodeopsError('unreachable', message));
      return;
    }
    const frame = decodeFrame(data);
    if (!frame) return;
    const verdict = this.#options.inspect(frame.channel, frame.payload);
    if (verdict instanceof Promise) {
      // explaining takes a GET: nothing else is to end the stream meanwhile
      this.#failing = true;
      verdict.then((error) => this.destroy(error));
      return;
    }
    if (verdict || frame.channel !== this.#options.readChannel || frame.payload.length === 0) return;
    if (!this.push(frame.payload) && !this.#paused) {
      this.#paused = true;
      this.#socket.pause();
    }
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#receivedAt = performance.now();
    this.#socket.resume();
  }

  #closed(code: number): void {
    clearInterval(this.#keepalive);
    clearTimeout(this.#probe);
    if (this.destroyed || this.#failing) return;
    // 1006: no close frame came, the connection to the server itself was lost. Other codes say nothing.
    if (code === 1006) {
      this.#cut();
      return;
    }
    this.push(null);
    // there is no half-close: nothing more can be written either
    if (!this.writableEnded) this.end();
  }

  #cut(cause?: Error): void {
    this.#fail(this.#cutError(cause));
  }

  #cutError(cause?: Error): NodeopsError {
    return new NodeopsError('unreachable', `the connection to ${this.#options.name} was cut`, {
      cause,
      hint: 'try again',
    });
  }

  #fail(error: NodeopsError): void {
    if (!this.destroyed && !this.#failing) this.destroy(error);
  }

  /** `lookMs` of silence call for a look at the pod, and twice as many for the next one. */
  #probeIn(delayMs: number, lookMs: number): void {
    this.#probe = setTimeout(async () => {
      const now = performance.now();
      const silentMs = now - this.#receivedAt;
      // a paused reader or an unsent write explains silence, and would keep a ping from coming through
      if (this.#paused || this.writableLength > 0 || silentMs < delayMs / 2) {
        this.#pingedAt = undefined;
        this.#probeIn(this.#probeMs, this.#probeMs);
        return;
      }
      if (this.#pingedAt === undefined) {
        this.#pingedAt = now;
        this.#socket.ping(undefined, undefined, ignore);
      } else if (now - this.#pingedAt >= (this.#options.pongTimeoutMs ?? 10_000)) {
        const message = `the API server has stopped answering while ${this.#options.name} was asked`;
        this.#fail(new NodeopsError('stalled', message, { hint: 'try again' }));
        return;
      }
      let nextLookMs = lookMs;
      if (silentMs >= lookMs * 0.9) {
        const gone = await this.#options.lookAfter(now - this.#openedAt);
        if (!this.#expecting) return;
        if (gone && this.#receivedAt <= now) {
          this.#fail(gone);
          return;
        }
        nextLookMs = silentMs + Math.min(silentMs, longestProbeMs);
      }
      this.#probeIn(this.#probeMs, nextLookMs);
    }, delayMs);
    this.#probe.unref();
  }
}

/** A polite close, then a hard one: the server's close frame can take a second and is not waited for. */
function closeSoon(socket: WebSocket): void {
  socket.resume();
  socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), 500);
  socket.once('close', () => clearTimeout(timer));
  timer.unref();
}

function ignore(): void {}
