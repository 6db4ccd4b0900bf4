/**
 * What the plugin pipes into a Node of the container: the agent's protocol over stdin and stdout, for the processes seen in
 * /proc. It lives as long as the connection, and leaves nothing behind. Run by the loader of src/plugin/transport/attach/loader.ts.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { serverOf } from '../agent/http/server.ts';
import { identify } from '../agent/membership/identity.ts';
import type { Pod } from '../agent/pod.ts';
import type { Resident } from '../agent/resident.ts';
import { fromEnvironment } from '../agent/settings/agent-settings.ts';
import { artifactSettings } from '../agent/settings/artifact-settings.ts';
import { keptSettings } from '../agent/settings/kept-settings.ts';
import { removeOwnArtifacts } from '../agent/store/directory.ts';
import { attachWindowBytes } from '../protocol/attach.ts';
import { joined } from '../protocol/joined.ts';
import { limits } from '../protocol/limits.ts';
import { Lines } from './processes/lines.ts';
import { Residents } from './processes/residents.ts';
import { stdio } from './stdio.ts';
import { ownStores } from './stores/container-stores.ts';

/** How long an inspector that is about to open is waited for, to close it again: see Lines. */
const closeMs = 35_000;

const [, , container = '', only = ''] = process.argv;
// what the app's agent would obey is not for a helper that kubectl exec lets in
const settings = { ...fromEnvironment({}), artifacts: artifactSettings(process.env), container: container || null };
const lines = new Lines();
const residents = new Residents(lines, settings.container, null);
// as the app's agent keeps it, in a directory that outlives this process
const kept = ownStores(keptSettings(process.env));
const { info, version } = identify(settings);
const chosen = (): Resident[] => residents.all().filter(({ info: { pid } }) => only === '' || pid === Number(only));
const pod: Pod = {
  settings,
  self: { info, version, asleep: undefined },
  residents: chosen,
  list: () => chosen().map((resident) => resident.info),
  refresh: async () => {},
  reach: () => Promise.reject(new Error('no agent is asked')),
  watcherOf: () => undefined,
  notes: () => [],
  stores: (name) => (name === undefined || name === settings.container ? kept : undefined),
};

let ending = false;
function end(): void {
  if (ending) return;
  ending = true;
  const leave = (): void => {
    removeOwnArtifacts(settings.artifacts.directory);
    process.exit(0);
  };
  setTimeout(leave, closeMs);
  lines.close().finally(leave);
}

const server = createServer({
  settings: { initialWindowSize: attachWindowBytes, maxConcurrentStreams: limits.connections },
});
server.on('stream', (stream, headers) => {
  if (headers[':method'] !== 'CONNECT') return stream.close();
  stream.on('error', () => {});
  stream.respond({ ':status': 200 });
  take(stream);
});
server.on('sessionError', end);
server.on('session', (session) => session.on('close', end));

/** Hands a connection to the agent's server, which wants to know its first byte. */
function take(http2: ServerHttp2Stream): void {
  const stream = joined(http2, http2);
  stream.on('error', () => {});
  stream.once('readable', () => {
    const first: Buffer | null = stream.read();
    if (!first?.length) return void stream.destroy();
    stream.unshift(first);
    // the server uses of a socket only what every stream has
    serverOf(pod).take(stream as unknown as Socket, 'pod', first[0]!);
  });
}

process.on('uncaughtException', (error) => {
  process.stderr.write(`${error?.stack ?? error}\n`);
  end();
});
process.on('unhandledRejection', (error) => process.stderr.write(`${String(error)}\n`));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
const connection = stdio();
connection.on('error', end);
connection.on('close', end);
process.stdin.on('end', end);
server.emit('connection', connection);
