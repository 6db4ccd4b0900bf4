/** `--attach=exec`: the payload in a Node of the container, over exec. Nothing is installed, and nothing stays. */
import type { Greeting } from '../../../protocol/attach.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { bytesShort } from '../../../protocol/text/quantities.ts';
import type { KubeApi } from '../kube/api.ts';
import { exec } from '../kube/exec.ts';
import { getPod, type PodRef } from '../kube/pods.ts';
import { candidates, isMissing } from './candidates.ts';
import { checkHeadroom, checkLimit, memoryQuantity, payloadBytes } from './headroom.ts';
import { loaderArguments } from './loader.ts';
import { type AttachPod, type ContainerSpec, chooseContainer, readPod } from './pod-spec.ts';
import type { Session } from './session.ts';
import { NotStarted, startPayload } from './start.ts';

export interface ExecAttachment {
  readonly pod: PodRef;
  readonly container: string | undefined;
  /** Attach although the container may run out of memory. */
  readonly force: boolean;
  /** The payload's bundle. */
  readonly payload: () => Promise<string>;
  /** Sentences for the user. */
  readonly say: (text: string) => void;
}

/** Exit code of a process that SIGKILL ended. */
const killed = 137;
/** For the look at what became of the container. */
const lookMs = 3_000;

/** Throws as `exec` does, `refused` when there is too little memory, `failed` when there is no Node. */
export async function attachByExec(
  api: KubeApi,
  { pod: ref, container: named, force, payload, say }: ExecAttachment,
  signal: AbortSignal,
): Promise<Session> {
  const pod = await readPod(api, ref, named, signal);
  const container = chooseContainer(ref, pod, named);
  const name = `container '${container.name}' of pod '${ref.name}'`;
  if (!force) checkLimit(name, memoryQuantity(container.resources?.limits?.memory));
  say(
    `attaching to ${name} by exec: takes about ${bytesShort(payloadBytes)} of its memory meanwhile, and Node.js prints "Debugger …" lines on the app's stderr`,
  );
  const tried: string[] = [];
  for (const command of candidates(container, pod)) {
    const argv = [...command, ...loaderArguments(container.name)];
    const started = await exec(api, { pod: ref, container: container.name, command: argv }, signal);
    try {
      const { session } = await startPayload(started, {
        payload,
        signal,
        check: (greeting: Greeting) => {
          checkVersion(name, greeting);
          if (!force) checkHeadroom(name, greeting);
        },
        why: async (end) => payloadEnded(name, end, end.code === killed && (await hasEnded(api, ref, container, pod))),
      });
      return session;
    } catch (error) {
      if (!(error instanceof NotStarted)) throw error;
      if (!isMissing(error.exit, error.stderr)) throw notNode(name, command, error);
      tried.push(command.at(-1)!);
    }
  }
  throw new NodeopsError(
    'failed',
    `${name} has no Node.js that exec can find: tried ${[...new Set(tried)].join(', ')}`,
    {
      hint: '--attach=ephemeral brings its own',
      detail: { tried },
    },
  );
}

function checkVersion(name: string, { version }: Greeting): void {
  if (Number(/^v(\d+)/.exec(version)?.[1]) >= 18) return;
  throw new NodeopsError('unsupported', `${name} runs Node.js ${version}; attaching by exec takes Node.js 18`, {
    hint: '--attach=ephemeral brings its own',
  });
}

function notNode(name: string, command: readonly string[], { exit, stderr }: NotStarted): NodeopsError {
  const last = stderr.trim().split('\n').at(-1) || exit.message || `exit code ${exit.code}`;
  const why = exit.code === killed ? 'it was killed, as when memory runs out' : last.slice(0, 200);
  return new NodeopsError('failed', `Node.js could not be run in ${name} (${command.at(-1)}): ${why}`, {
    hint: '--attach=ephemeral brings its own',
    detail: { exitCode: exit.code, stderr: stderr.slice(-2_000) },
  });
}

/** Whether the container has ended since, which ends the helper, too. */
async function hasEnded(api: KubeApi, ref: PodRef, { name }: ContainerSpec, before: AttachPod): Promise<boolean> {
  const of = ({ status }: AttachPod) => status?.containerStatuses?.find((one) => one.name === name);
  try {
    const { pod } = await getPod(api, ref, AbortSignal.timeout(lookMs));
    const now = of(pod as unknown as AttachPod);
    return now !== undefined && (!now.state?.running || now.restartCount !== of(before)?.restartCount);
  } catch {
    return false;
  }
}

function payloadEnded(
  name: string,
  { code, stderr, cause }: { code: number | undefined; stderr: string; cause: unknown },
  withContainer: boolean,
): NodeopsError {
  const why = withContainer
    ? 'the container itself ended'
    : code === killed
      ? 'it was killed, as when memory runs out or the container ends'
      : code === undefined
        ? 'the connection was cut'
        : `exit code ${code}`;
  return new NodeopsError('unreachable', `the helper in ${name} has ended: ${why}`, {
    cause,
    hint: 'try again',
    detail: { exitCode: code ?? null, stderr: stderr.slice(-2_000) },
  });
}
