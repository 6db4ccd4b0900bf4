/** `bundle TARGET…`: everything about a target in one `.tar.gz`, and what could not be had with the reason. */
import { relative } from 'node:path';
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import type { Parsed } from '../../../protocol/parameters.ts';
import { bytesShort, counted } from '../../../protocol/text/quantities.ts';
import { schema } from '../../../protocol/wire.ts';
import { Secrets } from '../../../secrets/secrets.ts';
import { chooseDestination } from '../../captures/destination.ts';
import { safePart, stamp } from '../../captures/filename.ts';
import { PartFile } from '../../captures/part-file.ts';
import { type Sink, StreamSink } from '../../captures/sink.ts';
import type { Invocation } from '../../cli/command.ts';
import { fanOut, type Outcome } from '../../client/fanout.ts';
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { targetName } from '../../render/target-name.ts';
import { podFacts } from '../../sampling/pod-facts.ts';
import type { Target } from '../../target.ts';
import { type Resolved, resolveTargets } from '../../targets/resolve.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { Archive } from './archive.ts';
import { manifestOf, Subject, type Surroundings, surroundings } from './contents.ts';
import { collectDoctor } from './doctor.ts';
import type { bundleFlags } from './flags.ts';
import { pageHtml } from './page.ts';
import { collectPod } from './pod.ts';
import { collectProcess } from './process.ts';
import type { WhyOptions } from './why.ts';

export type BundleInvocation = Omit<Invocation, 'flags'> & { readonly flags: Parsed<typeof bundleFlags> };

/** Processes and pods at the same time. */
const concurrency = 4;
/** How long `why` looks: twice as long as a profile takes, within these. */
const lookMs = { least: 2_000, most: 10_000 };
/** Targets that doctor looks at. */
const limitDoctors = 5;

/** Returns 0 once it is saved, whatever is missing in it. Throws `usage`, `nothing-matched`, `local-file`, `interrupted`. */
export async function runBundle(invocation: BundleInvocation): Promise<number> {
  const { args, flags, io } = invocation;
  if (flags.from !== undefined) {
    if (args.length > 0) throw new NodeopsError('usage', '--from shows a saved bundle and takes no target');
    const { showBundle } = await import('./show.ts');
    return showBundle(flags.from, { open: !flags['no-open'] }, io);
  }
  const destination = await chooseDestination(flags.output, { count: 1, overwrite: flags.overwrite });
  const container = flags.container === undefined ? undefined : `(?:${flags.container})`;
  const resolved = await resolveTargets({ ...invocation, flags: { ...flags, container, 'all-processes': true } });
  if (resolved.targets.length === 0) throw new NodeopsError('nothing-matched', 'no process matches the selection');
  const at = io.now();
  const stem = `nodeops-bundle.${stamp(at)}`;
  const name =
    destination.kind === 'file'
      ? destination.name
      : destination.kind === 'directory'
        ? { directory: destination.directory, stem, extension: '.tar.gz' }
        : undefined;
  const part = name && (await PartFile.create(name));
  const sink: Sink = part ?? new StreamSink(io.stdout);
  try {
    const subjects = await fill(invocation, resolved, sink, stem, at);
    const path = await part?.keep({ overwrite: destination.kind === 'file' && destination.overwrite });
    await say({ path, bytes: sink.bytes, at, format: flags.result }, subjects, io);
    return 0;
  } catch (error) {
    if (io.signal.aborted) throw new NodeopsError('interrupted', 'interrupted: no bundle was saved', { cause: error });
    throw error;
  } finally {
    await part?.discard();
  }
}

async function fill(
  invocation: BundleInvocation,
  { targets, api, skipped }: Resolved,
  sink: Sink,
  root: string,
  at: Date,
): Promise<Subject[]> {
  const { io } = invocation;
  const archive = new Archive(sink, root, at);
  const secrets = new Secrets();
  const around = surroundings(archive, secrets.text);
  const pluginVersion = process.env.NODEOPS_VERSION ?? null;
  try {
    // pods first: what their variables hide is then known to all the rest
    const pods = api ? await collectPods(api, targets, around, secrets, invocation) : [];
    const facts = await podFacts(api, targets, io);
    const processes = await collectProcesses(targets, around, secrets, facts, invocation);
    const doctor = await examine(invocation, around);
    for (const { namespace, error } of skipped) doctor.lacks(`namespace ${namespace}`, error);
    const subjects = [...processes, ...pods, doctor];
    await archive.add('index.html', Buffer.from(pageHtml(subjects, { at, pluginVersion })));
    const manifest = manifestOf(subjects, at, pluginVersion);
    await archive.add('manifest.json', Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    io.signal.throwIfAborted();
    await archive.finish();
    return subjects;
  } catch (error) {
    archive.destroy();
    throw asNodeopsError(error);
  }
}

async function collectPods(
  api: KubeApi,
  targets: readonly Target[],
  around: Surroundings,
  secrets: Secrets,
  { flags, io }: BundleInvocation,
): Promise<Subject[]> {
  const found = new Map(
    targets.flatMap(({ endpoint: { pod } }) => (pod ? [[`${pod.namespace}/${pod.name}`, pod] as const] : [])),
  );
  const outcomes = await fanOut(
    [...found.values()],
    async (ref) => {
      const folder = `pods/${safePart(ref.namespace)}/${safePart(ref.name)}`;
      const subject = new Subject('pod', `${ref.namespace}/${ref.name}`, folder, around);
      await collectPod(api, ref, subject, secrets, flags.tail, io);
      return subject;
    },
    { concurrency },
  );
  return values(outcomes);
}

async function collectProcesses(
  targets: readonly Target[],
  around: Surroundings,
  secrets: Secrets,
  facts: WhyOptions['facts'],
  { flags, io }: BundleInvocation,
): Promise<Subject[]> {
  const { profile: profileMs, timeout: timeoutMs, port } = flags;
  const forMs = Math.min(lookMs.most, Math.max(lookMs.least, 2 * profileMs));
  const options = { profileMs, timeoutMs, why: { forMs, timeoutMs, port, facts } };
  const taken = new Set<string>();
  const named = targets.map((target) => ({ target, folder: folderOf(target, taken) }));
  const outcomes = await fanOut(
    named,
    async ({ target, folder }) => {
      const { endpoint, process } = target;
      const place = endpoint.pod ? `${endpoint.pod.namespace}/${endpoint.pod.name}` : endpoint.name;
      const name = process === undefined || place === `process ${process}` ? place : `${place} ${process}`;
      const subject = new Subject('process', name, folder, around);
      await collectProcess(target, subject, secrets, options, io);
      return subject;
    },
    { concurrency },
  );
  return values(outcomes);
}

/** A part of a bundle that failed as a whole fails the bundle: each part lists its own failures by itself. */
function values(outcomes: readonly Outcome<unknown, Subject>[]): Subject[] {
  for (const { error } of outcomes) if (error) throw error;
  return outcomes.flatMap(({ value }) => value ?? []);
}

function folderOf(target: Target, taken: Set<string>): string {
  const { namespace, pod, address, container, pid } = targetName(target);
  const place = pod ?? (address?.startsWith('process ') ? 'node' : address);
  const parts = [namespace, place, container, pid === null ? null : String(pid)].filter((part) => part !== null);
  const stem = `processes/${parts.map(safePart).join('.')}`;
  let folder = stem;
  for (let n = 2; taken.has(folder); n++) folder = `${stem}-${n}`;
  taken.add(folder);
  return folder;
}

async function examine({ args, flags, kube, io }: BundleInvocation, around: Surroundings): Promise<Subject> {
  const subject = new Subject('doctor', 'doctor', 'doctor', around);
  const { selector, container, pid, port } = flags;
  const asked: (string | undefined)[] =
    args.length > 0 ? args.slice(0, limitDoctors) : selector === undefined ? [] : [undefined];
  if (asked.length === 0) subject.lacks('doctor', 'it looks at named targets, or at a selection with -l');
  if (args.length > asked.length)
    subject.lacks('doctor', `it looked at the first ${limitDoctors} of ${args.length} targets`);
  for (const [index, target] of asked.entries())
    await subject.try('doctor', io.signal, () =>
      collectDoctor(
        { target, selector: target === undefined ? selector : undefined, container, pid, port, kube, io },
        subject,
        index === 0 ? 'doctor.txt' : `doctor-${index + 1}.txt`,
      ),
    );
  return subject;
}

interface Saved {
  /** undefined on stdout */
  readonly path: string | undefined;
  readonly bytes: number;
  readonly at: Date;
  readonly format: string | undefined;
}

async function say({ path, bytes, at, format }: Saved, subjects: readonly Subject[], io: Io): Promise<void> {
  const missing = subjects.reduce((sum, subject) => sum + subject.missing.length, 0);
  const files = subjects.reduce((sum, subject) => sum + subject.files.length, 0);
  if (missing > 0)
    io.stderr.write(`note: ${counted(missing, 'part')} could not be had; the bundle says which and why\n`);
  // the bundle itself went to stdout, and what is said of it goes beside
  const out = path === undefined ? io.stderr : io.stdout;
  if (isDocumentFormat(format)) {
    const lacking = subjects.flatMap((subject) => subject.missing);
    const data = { path: path ?? null, bytes, files, missing: lacking };
    return write(out, await documentText(format, { schema, operation: 'bundle', at: at.toISOString(), data }));
  }
  if (format === 'name') return write(out, `${path ?? '-'}\n`);
  if (path === undefined) return;
  const short = relative(process.cwd(), path);
  const shown = short.startsWith('..') ? path : short;
  await write(
    io.stdout,
    `${shown} (${bytesShort(bytes)}, ${counted(files, 'file')})\nopen it: ${io.program} bundle --from ${quoted(shown)}\n`,
  );
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
