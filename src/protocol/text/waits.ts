import type { CodePlace, Wait, WaitKind, WaitsReply } from '../waits.ts';
import { frameText } from './frame.ts';
import { bytesShort, counted, duration } from './quantities.ts';

const headings: Record<WaitKind, string> = {
  server: 'servers',
  socket: 'sockets',
  udp: 'datagram sockets',
  terminal: 'terminals',
  timer: 'timers',
  process: 'child processes',
  worker: 'worker threads',
  port: 'message ports',
  fs: 'file operations',
  dns: 'name lookups',
  other: 'others',
};

/** What is waited for, kind by kind; those that read alike share a line. */
export function waitsText({ waits, counts, tracking, exiting }: WaitsReply): string[] {
  const blocks: string[][] = [];
  for (const kind of Object.keys(headings) as WaitKind[]) {
    const entries = waits.filter((wait) => wait.kind === kind);
    if (entries.length > 0) blocks.push([`${headings[kind]}: ${entries.length}`, ...alike(entries)]);
  }
  const seen = new Set(waits.map(({ type }) => type));
  const rest = Object.entries(counts).filter(([type]) => !seen.has(type));
  if (rest.length > 0) blocks.push(['without details:', ...rest.map(([type, count]) => `    ${count} ${type}`)]);
  if (blocks.length === 0) blocks.push([nothingText(exiting)]);
  if (tracking)
    blocks.push([`creations tracked since ${tracking.since}: ${tracking.kept} of at most ${tracking.limit} kept`]);
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** Nothing listed is no proof that a process ends: an addon may hold it, or it runs JavaScript. */
export function nothingText(exiting: boolean | undefined): string {
  if (exiting) return 'nothing: the process is about to exit';
  return 'nothing that Node or the kernel shows: it ends when what runs has ended, unless native code holds it';
}

function alike(waits: readonly Wait[]): string[] {
  const lines = new Map<string, { count: number; below: string[] }>();
  for (const wait of waits) {
    const below = createdLines(wait);
    const key = [sentence(wait), ...below].join('\n');
    const known = lines.get(key);
    if (known) known.count++;
    else lines.set(key, { count: 1, below });
  }
  return [...lines].flatMap(([key, { count, below }]) => {
    const [first] = key.split('\n', 1);
    return [`    ${count > 1 ? `${count} × ` : ''}${first}`, ...below];
  });
}

function createdLines({ ageMs, created }: Wait): string[] {
  if (!created || ageMs === null) return [];
  return [`        created ${duration(ageMs)} ago`, ...created.map((frame) => `            at ${frameText(frame)}`)];
}

function sentence(wait: Wait): string {
  switch (wait.kind) {
    case 'server': {
      const connections = wait.connections === null ? '' : `, ${counted(wait.connections, 'connection')}`;
      return `${wait.address ?? wait.type}${connections}${wait.queued ? `, ${wait.queued} not accepted yet` : ''}`;
    }
    case 'socket':
      return socket(wait);
    case 'udp':
      return wait.address ?? 'not bound';
    case 'terminal':
      return `descriptor ${wait.fd}`;
    case 'timer': {
      const period = `${wait.repeats ? 'every' : 'once after'} ${wait.periodMs} ms`;
      return [period, due(wait.remainingMs), calls(wait.callback)].filter(Boolean).join(', ');
    }
    case 'process':
      return `${wait.pid} ${wait.command}${wait.ageMs === null ? '' : `, for ${duration(wait.ageMs)}`}`;
    case 'worker':
      return `worker ${wait.threadId}${wait.name ? ` '${wait.name}'` : ''}`;
    case 'port':
      return wait.type;
    case 'fs':
      return [wait.type, wait.path ?? (wait.fd === null ? '' : `descriptor ${wait.fd}`), calls(wait.callback)]
        .filter(Boolean)
        .join(', ');
    case 'dns':
      return [wait.hostname ?? wait.type, calls(wait.callback)].filter(Boolean).join(', ');
    case 'other':
      return [wait.type, wait.name, calls(wait.callback)].filter(Boolean).join(', ');
  }
}

function socket({
  local,
  remote,
  state,
  tls,
  bytesRead,
  bytesWritten,
  http,
  type,
  unlisted,
}: Extract<Wait, { kind: 'socket' }>) {
  const ends = remote === null ? (local ?? type) : `${local} <-> ${remote}`;
  const request =
    http &&
    `${http.method} ${http.host ?? ''}${http.path} ${http.direction === 'incoming' ? 'to answer' : 'under way'}`;
  return [
    ends,
    state && `(${state})`,
    tls ? 'TLS' : '',
    bytesRead === null ? '' : `${bytesShort(bytesRead)} read`,
    bytesWritten === null ? '' : `${bytesShort(bytesWritten)} written`,
    request,
    unlisted ? 'not waited for: kept alive, or of another thread' : '',
  ]
    .filter(Boolean)
    .join(', ')
    .replace(', (', ' (');
}

function due(remainingMs: number | null): string {
  if (remainingMs === null) return '';
  return remainingMs >= 0 ? `in ${duration(remainingMs)}` : `late by ${duration(-remainingMs)}`;
}

function calls(callback: CodePlace | null): string {
  return callback ? `calls ${frameText(callback)}` : '';
}
