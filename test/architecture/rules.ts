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

/** The room of a stage that a file is in: the longest name of the table that it lies under. */
export function roomOf(stage: string, file: string): string | undefined {
  const path = file.slice(`src/${stage}/`.length);
  return Object.keys(inside[stage] ?? {})
    .filter((name) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
}
