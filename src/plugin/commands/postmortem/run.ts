/** `postmortem`: the cluster's account of a pod's end, and what its processes left, saved and summed up. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isCrashRecord } from '../../../protocol/crash.ts';
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import { makeWritable } from '../../captures/destination.ts';
import { artifactStem } from '../../captures/filename.ts';
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { targetName, typedName } from '../../render/target-name.ts';
import type { Target } from '../../target.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { notesOf, storesOf } from './kept.ts';
import { type ContainerEnd, containerEnds, type PodEvent, readEvents, readPod } from './pod.ts';
import { defaultDirectory, isRecord, saveKept } from './save.ts';
import { containerLines, eventLines, type Found, recordLines } from './text.ts';

type PostmortemInvocation = TargetInvocation & {
  readonly flags: {
    readonly output: string | undefined;
    readonly result: string | undefined;
    readonly last: number;
    readonly wait: boolean | undefined;
  };
};

export async function runPostmortem(invocation: PostmortemInvocation): Promise<number> {
  const { flags, io } = invocation;
  const { targets, api } = await resolveTargets(invocation);
  const [target, ...more] = targets;
  if (!target || more.length > 0)
    throw new NodeopsError('usage', `postmortem takes one pod or process, not ${targets.length}`);
  const notes: string[] = [];
  const cluster = api && target.endpoint.pod ? await readCluster(api, target.endpoint.pod, notes, io) : undefined;
  const restarts = cluster?.containers.some(({ now }) => now === 'CrashLoopBackOff') ?? false;
  const patient = restarts && (flags.wait ?? io.stderr.isTTY === true);
  const first = collect(target, flags, notes, io);
  const found = await (patient ? first.catch((error) => onceItRuns(error, target, flags, notes, io)) : first).catch(
    (error: unknown) => {
      // of a pod that does not run, the cluster's account is what there is
      const failure = asNodeopsError(error);
      if (!cluster || failure.code === 'interrupted') throw failure;
      notes.push(`what its processes kept cannot be fetched: ${failure.message}; ${laterHint}`);
      return undefined;
    },
  );
  if (isDocumentFormat(flags.result)) {
    // null: not known, which is not none
    const records = found?.map(({ record: { history: _, ...record }, path }) => ({ path, ...record })) ?? null;
    const document = {
      schema: 'nodeops/v1',
      operation: 'postmortem',
      target: targetName(target),
      ...cluster,
      records,
      notes,
    };
    await write(io.stdout, await documentText(flags.result, document));
  } else {
    const lines = [
      typedName(targetName(target)),
      ...(cluster ? cluster.containers.flatMap(containerLines) : []),
      ...(cluster ? eventLines(cluster.events) : []),
      '',
      ...foundLines(found),
    ];
    await write(io.stdout, `${lines.join('\n').trimEnd()}\n`);
  }
  for (const note of notes) io.stderr.write(`note: ${note}\n`);
  return 0;
}

/** The kubelet waits five minutes at most before it starts a container again. */
const restartMs = 330_000;
const lookEveryMs = 500;

/** Asks again until a container runs; throws the last failure where none does. */
async function onceItRuns(
  error: unknown,
  target: Target,
  flags: PostmortemInvocation['flags'],
  notes: string[],
  io: Io,
): Promise<Found[]> {
  io.stderr.write('waiting for a container to be restarted, to take what was kept (Ctrl-C ends it)\n');
  const end = performance.now() + restartMs;
  for (let failure = error; ; ) {
    if (io.signal.aborted || performance.now() > end) throw failure;
    await sleep(lookEveryMs, undefined, { signal: io.signal }).catch(() => {
      throw failure;
    });
    try {
      return await collect(target, flags, notes, io);
    } catch (next) {
      if (io.signal.aborted) throw failure;
      failure = next;
    }
  }
}

const laterHint =
  'ask again while its container runs, or have a sidecar serve what is kept: annotation nodeops.dev/sidecar: "true"';

/** `found` is undefined where nobody could be asked. */
function foundLines(found: readonly Found[] | undefined): string[] {
  if (!found) return ['whether it left crash records is not known: nobody there can be asked now'];
  if (found.length === 0) return ['no crash record was found'];
  return found.flatMap((one) => [...recordLines(one), '']);
}

async function readCluster(
  api: KubeApi,
  pod: { namespace: string; name: string },
  notes: string[],
  { signal }: Io,
): Promise<{ containers: ContainerEnd[]; events: PodEvent[] }> {
  const containers = containerEnds(await readPod(api, pod, signal));
  const events = await readEvents(api, pod, signal).catch((error: unknown) => {
    notes.push(`its events cannot be read: ${asNodeopsError(error).message}`);
    return [];
  });
  return { containers, events };
}

async function collect(
  target: Target,
  flags: PostmortemInvocation['flags'],
  notes: string[],
  io: Io,
): Promise<Found[]> {
  const found: Found[] = [];
  const stores = await storesOf(target, flags, io);
  notes.push(...notesOf(stores));
  const directory = flags.output ?? defaultDirectory(artifactStem(targetName(target), io.now()));
  for (const store of stores) {
    const { artifacts } = store.envelope.data;
    const records = artifacts.filter(isRecord).slice(0, flags.last);
    if (records.length === 0) continue;
    await makeWritable(directory);
    for (const file of records) {
      const path = await saveKept(store, file, directory, io);
      const record = parsed(await readFile(path, 'utf8'));
      if (!isCrashRecord(record)) {
        notes.push(
          record === undefined ? `${path} is damaged: it is not JSON` : `${path} is no crash record of this version`,
        );
        continue;
      }
      found.push({ record, path });
      const beside = artifacts.filter(({ name }) => name === record.heapProfile || name === record.report);
      for (const one of beside) await saveKept(store, one, directory, io);
    }
  }
  return found;
}

/** Undefined for what is cut off or damaged: one such record hides no other. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
