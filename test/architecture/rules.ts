/**
 * Which folder may import which: the only place that says so. docs/architecture.md is drawn from it (`npm run docs`), and imports.test.ts keeps
 * the sources to it.
 */
export interface Room {
  readonly what: string;
  /** Folders of the same level that it imports. */
  readonly imports: readonly string[];
}
type Rooms = Readonly<Record<string, Room>>;

/** The folders of `src`, and `cmd`. */
export const stages: Rooms = {
  cmd: { what: 'the executable: argv in, exit code out', imports: ['plugin'] },
  plugin: {
    what: 'commands, kubeconfig, targets, port-forward, client, output',
    imports: ['why', 'formats', 'source-maps', 'proc', 'secrets', 'protocol'],
  },
  agent: { what: 'what runs inside the app', imports: ['inspect', 'proc', 'secrets', 'protocol'] },
  sidecar: {
    what: 'the same for processes that load no library',
    imports: ['agent', 'inspect', 'proc', 'secrets', 'protocol'],
  },
  inject: { what: 'pod → pod mutation and the webhook around it', imports: ['protocol'] },
  inspect: {
    what: "readings and captures over V8's inspector, written once for both of its implementations",
    imports: ['source-maps', 'proc', 'secrets', 'protocol'],
  },
  why: { what: 'findings: figures in, ranked sentences out; pure', imports: ['formats', 'protocol'] },
  formats: {
    what: 'V8 profiles ↔ pprof, heap snapshots, merge, diff, summaries',
    imports: ['source-maps', 'protocol'],
  },
  'source-maps': { what: 'source maps found and read, frames and names in their source', imports: ['protocol'] },
  proc: {
    what: 'a process as the kernel shows it: command line, executable, sockets, cgroup, system calls',
    imports: ['protocol'],
  },
  secrets: { what: 'what is masked, once for every way out', imports: [] },
  protocol: { what: 'operations, captures, codec, errors, limits, and replies in words', imports: [] },
};

/** Whose code travels as text inside whose (`bundle:PATH`): nothing of it runs there. */
export const carried: Readonly<Record<string, readonly string[]>> = { agent: ['agent'], plugin: ['sidecar'] };

/** Folders and single files inside of a stage, each importing only what stands below it. */
export const inside: Readonly<Record<string, Rooms>> = {
  agent: {
    entry: {
      what: "the library, the preload and the worker's thread; which processes to leave alone",
      imports: [
        ...['compose.ts', 'operations', 'main-thread', 'crash', 'recorder', 'membership', 'settings'],
        ...['builtin.ts', 'public.d.ts'],
      ],
    },
    'compose.ts': {
      what: 'what answers for a process: its ports, who else is there, and the server behind them',
      imports: ['http', 'pod.ts', 'membership', 'resident.ts', 'store', 'settings'],
    },
    'main-thread': {
      what: "what runs on the app's main thread: on standby behind a port, SIGUSR1, listeners, a witness of its end",
      imports: ['crash', 'recorder', 'membership', 'tracking', 'settings', 'builtin.ts'],
    },
    http: {
      what: 'connections, who may ask, which process, passed on or answered',
      imports: ['gops', 'operations', 'captures', 'membership', 'pod.ts', 'resident.ts', 'store', 'settings'],
    },
    gops: { what: "gops' one-byte signals", imports: ['pod.ts', 'store'] },
    operations: {
      what: "one handler for each entry of the protocol's table, what is recorded and kept among them",
      imports: ['triggers', 'crash', 'recorder', 'membership', 'pod.ts', 'resident.ts'],
    },
    captures: { what: 'jobs: run, kept on disk or in memory', imports: ['store', 'settings'] },
    triggers: { what: 'rules on recorded figures that capture', imports: ['crash', 'recorder', 'store', 'settings'] },
    crash: {
      what: 'what is kept of a process that ends, and of one that runs short of memory',
      imports: ['recorder', 'resident.ts', 'store', 'settings'],
    },
    recorder: { what: 'the flight recorder: samples, stalls, `history`', imports: ['settings'] },
    membership: {
      what: 'who is in the pod, who leads it, who watches: reducers, the handshake and its bytes, sockets',
      imports: ['resident.ts', 'settings', 'builtin.ts'],
    },
    tracking: { what: 'where handles, requests and timers are created, where asked for', imports: ['builtin.ts'] },
    'pod.ts': { what: 'what the server needs to know of its pod', imports: ['resident.ts', 'store', 'settings'] },
    'resident.ts': { what: 'a process that an agent answers for', imports: ['store'] },
    store: { what: "the artifact directory's bound: whose files, how much, one writer at a time", imports: [] },
    settings: { what: 'options and NODEOPS_* variables, checked', imports: ['public.d.ts'] },
    'builtin.ts': { what: "Node's modules, loaded when needed", imports: [] },
    'public.d.ts': { what: 'types of the library', imports: [] },
    'bundled.d.ts': { what: "types of a bundle's text", imports: [] },
  },
  sidecar: {
    'main.ts': { what: 'the container beside the app', imports: ['processes', 'stores'] },
    'payload.ts': {
      what: 'what is attached over exec or in an ephemeral container',
      imports: ['stdio.ts', 'processes', 'stores'],
    },
    processes: { what: 'processes found, and lines to their inspectors', imports: [] },
    stores: { what: 'what containers have kept', imports: [] },
    'stdio.ts': { what: "a process's stdin and stdout as a stream", imports: [] },
  },
  inspect: {
    effects: { what: 'what changes a process', imports: ['readings', '.'] },
    readings: { what: 'one for each question, over either inspector', imports: ['probes', 'native-frames', '.'] },
    captures: { what: 'one for each artifact', imports: ['.'] },
    probes: { what: 'functions that are evaluated in the app', imports: ['.'] },
    'native-frames': { what: 'stacks read from memory, where the main thread is in native code', imports: ['.'] },
    '.': { what: 'the inspector, from inside and outside; frames, threads, counters', imports: [] },
  },
  formats: {
    summary: { what: 'tables, trees and differences of profiles', imports: ['.'] },
    heap: { what: 'heap snapshots: read, measured, compared', imports: ['.'] },
    '.': { what: 'profiles and their model, to and from pprof', imports: [] },
  },
  why: {
    'group.ts': { what: 'one answer for many pods', imports: ['diagnose.ts', 'finding.ts', 'reply.ts', 'case.ts'] },
    'diagnose.ts': {
      what: 'a case into ranked findings',
      imports: ['findings', 'evidence', 'finding.ts', 'reply.ts', 'case.ts'],
    },
    findings: { what: 'one sentence each, or nothing', imports: ['evidence', 'finding.ts', 'case.ts'] },
    'finding.ts': { what: 'what a finding is', imports: ['evidence', 'case.ts'] },
    evidence: { what: 'figures over the look', imports: ['case.ts'] },
    'reply.ts': { what: 'the answer as a value', imports: ['finding.ts', 'case.ts'] },
    'case.ts': { what: 'what findings are told', imports: [] },
  },
  protocol: {
    text: { what: 'replies in words, for the plugin and the gops CLI', imports: ['.'] },
    '.': { what: 'operations, replies, wire, errors, limits, figures', imports: [] },
  },
  plugin: {
    'main.ts': { what: 'argv to exit code', imports: ['commands', 'cli', 'render', 'io.ts'] },
    commands: {
      what: 'all of one command in its folder: `command.ts` is its declaration',
      imports: [
        ...['sampling', 'captures', 'render', 'targets', 'transport/attach', 'client', 'cli'],
        ...['transport/gops', 'transport/kube', 'target.ts', 'io.ts'],
      ],
    },
    sampling: {
      what: 'what top, smoke, why and bundle look at over time',
      imports: [
        'captures',
        'render',
        'targets',
        'client',
        'cli',
        'transport/gops',
        'transport/kube',
        'target.ts',
        'io.ts',
      ],
    },
    captures: {
      what: 'jobs fetched, resumed, converted, saved',
      imports: ['render', 'targets', 'client', 'transport/gops', 'transport/kube', 'target.ts', 'io.ts'],
    },
    render: {
      what: 'tables, documents, colours, how a reply looks',
      imports: ['targets', 'client', 'target.ts', 'io.ts'],
    },
    targets: {
      what: 'words into endpoints',
      imports: ['transport/attach', 'client', 'cli', 'transport/kube', 'target.ts', 'io.ts'],
    },
    'transport/attach': {
      what: 'processes without an agent, over exec or an ephemeral container',
      imports: ['client', 'cli', 'transport/kube', 'target.ts', 'io.ts'],
    },
    client: {
      what: 'speaks to an agent over any endpoint; asks many at once',
      imports: ['transport/gops', 'target.ts', 'io.ts'],
    },
    cli: { what: 'declarations into commander and an `Invocation`', imports: ['transport/kube', 'io.ts'] },
    'transport/gops': { what: "gops' bytes over a stream", imports: ['target.ts', 'io.ts'] },
    'transport/kube': {
      what: 'kubeconfig, REST, port-forward and exec over WebSockets',
      imports: ['target.ts', 'io.ts'],
    },
    'target.ts': { what: 'what can be asked, and how it is reached', imports: [] },
    'io.ts': { what: 'streams, clock, environment', imports: [] },
  },
};

/** The room of a stage that a file is in: the longest name of the table that it lies under, or `.` for one beside the folders. */
export function roomOf(stage: string, file: string): string | undefined {
  const path = file.slice(`src/${stage}/`.length);
  const rooms = Object.keys(inside[stage] ?? {});
  const named = rooms.filter((name) => path === name || path.startsWith(`${name}/`));
  return (
    named.sort((a, b) => b.length - a.length)[0] ??
    (path.includes('/') ? undefined : rooms.find((name) => name === '.'))
  );
}
