/** The commands that bring an artifact home: their flags, and what they share. */
import { type CaptureName, captures } from '../../protocol/captures.ts';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import type { Parsed } from '../../protocol/parameters.ts';
import type { CaptureRequest } from '../captures/collect.ts';
import { type Command, command, type Invocation } from '../cli/command.ts';
import { targetFlags } from '../cli/common-flags.ts';
import type { FlagSet } from '../cli/flags.ts';
import { parseSize } from '../cli/size.ts';
import type { Io } from '../io.ts';
import type { KubeApi } from '../transport/kube/api.ts';

const saveFlags = {
  output: {
    type: 'text',
    placeholder: 'FILE|DIR|-',
    summary: 'where to save it; - is stdout (default: the current directory)',
    maxLength: 4096,
  },
  'max-size': {
    type: 'text',
    placeholder: 'SIZE',
    summary: 'most that is taken of one artifact, such as 500Mi (default 8Gi)',
    maxLength: 20,
  },
  overwrite: { type: 'boolean', summary: 'replace the file that --output names', default: false },
  result: {
    type: 'choice',
    short: 'o',
    placeholder: 'FORMAT',
    summary: 'form in which the saved files are told',
    choices: ['json', 'yaml', 'name'],
  },
} as const satisfies FlagSet;

const viewFlags = {
  'no-prompt': { type: 'boolean', summary: 'only save it: no prompt and no browser' },
} as const satisfies FlagSet;

function diffBase(what: string) {
  return {
    type: 'text',
    placeholder: 'FILE',
    summary: `also show what changed since this saved ${what}`,
    maxLength: 4096,
  } as const;
}

const profileFlags = {
  'no-merge': { type: 'boolean', summary: 'of several processes, write no merged profile' },
  'diff-base': diffBase('profile'),
  'source-map-dir': {
    type: 'text',
    placeholder: 'DIR',
    summary: 'directory with the source maps of what runs there',
    maxLength: 4096,
  },
  tool: {
    type: 'text',
    placeholder: 'COMMAND',
    summary: 'open the profile with this, such as "go tool pprof"',
    maxLength: 4096,
  },
} as const satisfies FlagSet;

/** What reading a capture's flags gives, whichever capture it is. */
type CaptureFlags = Parsed<typeof targetFlags & typeof saveFlags> &
  Partial<Parsed<typeof viewFlags & typeof profileFlags>> & {
    readonly format?: string;
    readonly 'probe-budget'?: number;
  };

/** Saved as the agent makes it: `heapsnapshot`, `report`. */
export function savingCommand(name: CaptureName, examples: readonly string[]): Command {
  const { parameters, summary } = captures[name];
  return command({
    name,
    summary,
    usage: 'TARGET...',
    flags: { ...parameters, ...saveFlags, ...targetFlags },
    examples,
    run: (invocation) => runCapture(name, invocation),
  });
}

/** Saved as the agent makes it, and compared with one from before: `heapsnapshot`. */
export function snapshotCommand(name: 'heapsnapshot', examples: readonly string[]): Command {
  const { parameters, summary } = captures[name];
  return command({
    name,
    summary,
    usage: 'TARGET...',
    flags: { ...parameters, 'diff-base': diffBase('snapshot'), ...saveFlags, ...targetFlags },
    examples,
    run: (invocation) => runCapture(name, invocation),
  });
}

/** Saved as the agent makes it, and shown in the browser where there is one: `trace`. */
export function tracingCommand(name: 'trace', examples: readonly string[]): Command {
  const { parameters, summary } = captures[name];
  return command({
    name,
    summary,
    usage: 'TARGET...',
    flags: { ...parameters, ...saveFlags, ...viewFlags, ...targetFlags },
    examples,
    run: (invocation) => runCapture(name, invocation),
  });
}

/** Saved as pprof or in V8's own format, and looked at in a prompt. */
export function profilingCommand(name: 'pprof-cpu' | 'pprof-heap', examples: readonly string[]): Command {
  const { parameters, summary, extension } = captures[name];
  const format = {
    type: 'choice',
    summary: "pprof, or V8's own",
    choices: ['pprof', extension],
    default: 'pprof',
  } as const;
  return command({
    name,
    summary,
    usage: 'TARGET...',
    flags: { ...parameters, format, ...profileFlags, ...saveFlags, ...viewFlags, ...targetFlags },
    examples,
    run: (invocation) => runCapture(name, invocation),
  });
}

async function runCapture(name: CaptureName, invocation: object): Promise<number> {
  const { flags, io, ...rest } = invocation as Omit<Invocation, 'flags'> & { readonly flags: CaptureFlags };
  for (const word of ['json', 'yaml', 'name', 'wide'])
    if (flags.output === word)
      throw new NodeopsError('usage', `--output names a file here, and '${word}' is a form`, {
        hint: `type -o ${word === 'wide' ? 'json' : word}, or --output ./${word}`,
      });
  const { resolveTargets } = await import('../targets/resolve.ts');
  const { chooseDestination } = await import('../captures/destination.ts');
  const { conversion } = await import('../captures/formats.ts');
  const { captureAll } = await import('../captures/capture-all.ts');
  const { printResult } = await import('../captures/result.ts');

  const parameters = Object.fromEntries(
    Object.keys(captures[name].parameters).map((key) => {
      const value = flags[key as keyof typeof flags];
      // what was not asked for is not sent: an older agent does not know it
      return [key, value === false ? undefined : value];
    }),
  );
  const format = flags.format === 'pprof' ? 'pprof' : 'v8';
  const maxBytes = readSize(flags['max-size']);
  const base = await readBase(name, flags, io);
  const heapBase = name === 'heapsnapshot' ? flags['diff-base'] : undefined;
  if (heapBase !== undefined) await (await import('./diff/heap.ts')).checkHeapFile(heapBase);
  const sourceMaps = await openSourceMaps(flags['source-map-dir'], io);
  const { targets, single, skipped, api } = await resolveTargets({ ...rest, flags, io });
  const destination = await chooseDestination(flags.output, { count: targets.length, overwrite: flags.overwrite });
  const captured = await captureAll(
    targets,
    {
      capture: name,
      parameters,
      nodeOf: api ? nodeNames(api, io) : undefined,
      parametersOf: name === 'heapsnapshot' && api ? probeBudgets(api, flags, io) : undefined,
      format,
      convert: await conversion(name, { format, sourceMaps }),
      destination,
      timeoutMs: flags.timeout ?? 30_000,
      maxBytes,
      concurrency: flags.concurrency,
      merge: format === 'pprof' && !flags['no-merge'],
    },
    io,
  );
  const streamed = destination.kind === 'stdout';
  const exitCode = await printResult({
    ...captured,
    capture: name,
    single,
    skipped,
    format: flags.result,
    streamed,
    io,
  });
  if (heapBase !== undefined) {
    const paths = captured.outcomes.flatMap(({ value }) => value?.files.map(({ path }) => path) ?? []);
    const out = streamed || flags.result !== undefined ? { ...io, stdout: io.stderr } : io;
    const { diffHeapFiles } = await import('./diff/heap.ts');
    for (const path of paths) if (path !== null) await diffHeapFiles(heapBase, path, {}, out);
    return exitCode;
  }
  const profile = captured.merged?.profile ?? captured.outcomes.find(({ value }) => value?.profile)?.value?.profile;
  if (base && profile) {
    const { compare } = await import('./diff/compare.ts');
    const count = captured.merged?.count ?? 1;
    // the result has its form on stdout; what is said of it besides goes to stderr
    const out = streamed || flags.result !== undefined ? { ...io, stdout: io.stderr } : io;
    await compare(base, { said: 'this capture', profile, count }, { normalize: 'auto' }, out);
    return exitCode;
  }
  if (exitCode !== 0 || streamed || flags.result !== undefined || flags['no-prompt']) return exitCode;
  const { afterCapture } = await import('./view/after-capture.ts');
  return afterCapture(name, captured, { tool: flags.tool, sourceDirectory: flags['source-map-dir'] }, io);
}

function readSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes === undefined)
    throw new NodeopsError('usage', `--max-size is '${text}'; it takes a size such as 500Mi or 2GB`);
  return bytes;
}

/** The pod's own liveness probe, unless the user said what it is. */
function probeBudgets(api: KubeApi, flags: CaptureFlags, io: Io): CaptureRequest['parametersOf'] {
  return async (name) => {
    if (flags['probe-budget'] !== undefined) return {};
    const { probeBudget } = await import('../captures/probe-budget.ts');
    try {
      return { 'probe-budget': await probeBudget(api, name, io.signal) };
    } catch (error) {
      const { message } = asNodeopsError(error);
      io.stderr.write(`note: the liveness probe of pod/${name.pod} is not known: ${message}\n`);
      return {};
    }
  };
}

async function readBase(name: CaptureName, flags: CaptureFlags, io: Io) {
  const path = flags['diff-base'];
  if (path === undefined || name === 'heapsnapshot') return undefined;
  const { readProfileFile } = await import('./diff/file.ts');
  return { said: path, profile: await readProfileFile(path, flags['source-map-dir'], io) };
}

/** Where a pod runs, by one GET; a user who may not `get pods` has profiles without that label. */
function nodeNames(api: KubeApi, io: Io): CaptureRequest['nodeOf'] {
  return async (pod) => {
    const { getPod } = await import('../transport/kube/pods.ts');
    return (await getPod(api, pod, io.signal)).pod.spec?.nodeName;
  };
}

async function openSourceMaps(directory: string | undefined, io: Invocation['io']) {
  if (directory === undefined) return undefined;
  const { sourceMapDir } = await import('../../formats/source-map-dir.ts');
  return sourceMapDir(directory, { onProblem: ({ message }) => io.stderr.write(`note: ${message}\n`) });
}
