/**
 * Answers as a gops agent of a Go process does, byte for byte: one connection at a time, of which it reads one byte, answers the signals
 * it knows and closes. Texts follow the format strings of gops' agent; profiles and trace are Go's own (test/fixtures/go).
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { decodeVarint } from '../../../../src/protocol/gops.ts';

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/go/${name}`, import.meta.url));

export const said = {
  stack:
    'goroutine 19 [running]:\nruntime/pprof.writeGoroutineStacks({0x7f2d1c0a8e40, 0xc000010058})\n\t/usr/local/go/src/runtime/pprof/pprof.go:764 +0x6a\n\ngoroutine 1 [select (no cases)]:\nmain.main()\n\t/src/main.go:21 +0x4d\n',
  memstats:
    'alloc: 1.15MB (1208320 bytes)\ntotal-alloc: 1.15MB (1208320 bytes)\nsys: 7.27MB (7624720 bytes)\nlookups: 0\nnum-gc: 0\nenable-gc: true\ndebug-gc: false\n',
  version: 'go1.26.1\n',
  stats: 'goroutines: 3\nOS threads: 8\nGOMAXPROCS: 2\nnum CPU: 2\n',
} as const;
export const profiles = { cpu: fixture('cpu.pb.gz'), heap: fixture('heap.pb.gz'), trace: fixture('trace') };

export class GoAgent {
  /** The first bytes of every connection, in order. */
  readonly received: Buffer[] = [];
  /** What CPU profiles and traces take; in gops 30 s and 5 s. */
  captureMs = 50;
  #percent = 100;
  readonly #server: Server;
  #turn = Promise.resolve();

  constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      this.#turn = this.#turn.then(() => this.#serve(socket));
    });
  }

  async listen(): Promise<this> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    return this;
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
  close(): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const first = await new Promise<Buffer>((resolve) => {
      socket.once('data', resolve).once('close', () => resolve(Buffer.alloc(0)));
    });
    this.received.push(first);
    const answer = await this.#answer(first);
    // closing with bytes unread is a reset, as from Go
    if (answer === undefined) socket.resetAndDestroy();
    else socket.end(answer);
    await once(socket, 'close').catch(() => {});
  }

  async #answer(bytes: Buffer): Promise<string | Buffer | undefined> {
    switch (bytes[0]) {
      case 0x1:
        return said.stack;
      case 0x2:
        return 'ok';
      case 0x3:
        return said.memstats;
      case 0x4:
        return said.version;
      case 0x5:
        return profiles.heap;
      case 0x6:
        await new Promise((done) => setTimeout(done, this.captureMs));
        return profiles.cpu;
      case 0x7:
        return said.stats;
      case 0x8:
        await new Promise((done) => setTimeout(done, this.captureMs));
        return profiles.trace;
      case 0x9:
        return readFileSync(process.execPath).subarray(0, 4096);
      case 0x10: {
        const percent = decodeVarint(bytes.subarray(1))!;
        const previous = this.#percent;
        this.#percent = percent;
        return `New GC percent set to ${percent}. Previous value was ${previous}.\n`;
      }
      default:
        return undefined;
    }
  }
}
