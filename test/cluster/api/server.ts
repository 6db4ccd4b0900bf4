/** The listening end: TLS with client certificates, plain requests, upgrades; every connection can be cut. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { handleUpgrade, type UpgradeOptions } from '../streams/upgrade.ts';
import type { Certificate } from './certificates.ts';
import type { Handler } from './handler.ts';

export class ApiServer {
  readonly #options: { handler: Handler; certificate: Certificate; authority: string; upgrade: UpgradeOptions };
  readonly #sockets = new Set<Socket>();
  #server: Server;
  port = 0;

  constructor(options: { handler: Handler; certificate: Certificate; authority: string; upgrade: UpgradeOptions }) {
    this.#options = options;
    this.#server = this.#create();
  }

  #create(): Server {
    const { handler, certificate, authority, upgrade } = this.#options;
    const server = createServer({
      cert: certificate.certificate,
      key: certificate.key,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.requestTimeout = 0;
    // longer than the 90 s of Go's clients: one that closes first cuts the request that is just coming
    server.keepAliveTimeout = 120_000;
    server.on('request', (request, response) => void handler.handle(request, response));
    server.on('upgrade', (request, socket, head) => handleUpgrade(handler, request, socket, head, upgrade));
    server.on('connection', (socket) => this.#track(socket as Socket));
    server.on('secureConnection', (socket: TLSSocket) => socket.setNoDelay(true));
    server.on('tlsClientError', (_, socket) => socket.destroy());
    return server;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** Listens on 127.0.0.1; port 0 is any. */
  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', () => resolve());
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection; new ones are accepted. */
  cutConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cutConnections();
    await closed;
  }

  /** Stops, stays away for `downMs`, and listens on the same port again. */
  async restart(downMs: number): Promise<void> {
    await this.stop();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    this.#server = this.#create();
    await this.listen(this.port);
  }
}
