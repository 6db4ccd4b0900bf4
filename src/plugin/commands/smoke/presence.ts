/** A second look at the selection, when a run is over: which of its processes are gone, and which came. */
import { type ErrorCode, NodeopsError } from '../../../protocol/errors.ts';
import { askAll } from '../../client/ask.ts';
import { type TargetName, targetName } from '../../render/target-name.ts';
import type { Endpoint, Target } from '../../target.ts';
import { parseTarget } from '../../targets/parse.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { podKey } from './pods.ts';

/** Whether a process is still there; a sentence where that could not be seen. */
export type Presence = 'there' | 'gone' | { readonly unknown: string };

/** A process that was sampled. */
interface Known {
  readonly target: Target;
  readonly name: TargetName;
}

export interface SecondLook {
  presence(process: Known): Presence;
  /** Processes that were not sampled, and new pods that do not tell theirs. */
  readonly appeared: readonly TargetName[];
}

/** What says that something is not there any more. */
const goneCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'no-such-pod',
  'no-such-process',
  'nothing-matched',
  'pod-not-running',
]);
const saysGone = (error: unknown) => error instanceof NodeopsError && goneCodes.has(error.code);

/**
 * Asks the cluster once more for the selection, and each pod or process once for its processes. `pattern` is that of the wanted
 * containers. What cannot be asked is no error: presence is then not known.
 */
export async function lookAgain(
  known: readonly Known[],
  pattern: RegExp | undefined,
  invocation: TargetInvocation,
): Promise<SecondLook> {
  const { flags, io } = invocation;
  const listed = await listAgain(invocation);
  const endpoints = new Set(known.map(({ target }) => target.endpoint));
  const knownPods = new Set([...endpoints].map(podOf));
  const newPods = listed.endpoints.filter((endpoint) => endpoint.pod && !knownPods.has(podOf(endpoint)));

  const askable = [...endpoints, ...newPods].map((endpoint) => ({ endpoint, process: undefined }));
  const answers = new Map<Endpoint, TargetName[] | NodeopsError>();
  for (const { of, value, error } of await askAll(askable, 'processes', {}, { timeout: flags.timeout }, io)) {
    const names = value?.data.processes
      .filter(({ pid }) => flags.pid === undefined || pid === flags.pid)
      .filter(({ container }) => !pattern || (container !== null && pattern.test(container)))
      .map(({ container, pid }) => targetName(of, { process: { container, pid } }));
    answers.set(of.endpoint, names ?? error!);
  }

  const sampled = new Set(known.map(({ name }) => keyOf(name)));
  const appeared = [...answers].flatMap(([endpoint, answer]) => {
    if (Array.isArray(answer)) return answer.filter((name) => !sampled.has(keyOf(name)));
    return newPods.includes(endpoint) ? [targetName({ endpoint, process: undefined })] : [];
  });
  const isListed = (endpoint: Endpoint) => !endpoint.pod || !listed.complete || listed.pods.has(podOf(endpoint));
  return {
    appeared,
    presence({ target: { endpoint }, name }) {
      if (!isListed(endpoint) || listed.gone.has(endpoint.name)) return 'gone';
      const answer = answers.get(endpoint)!;
      if (!Array.isArray(answer)) return saysGone(answer) ? 'gone' : { unknown: answer.message };
      if (name.pid === null) return { unknown: 'it did not say which process it is' };
      return answer.some((one) => keyOf(one) === keyOf(name)) ? 'there' : 'gone';
    },
  };
}

interface Listed {
  readonly endpoints: readonly Endpoint[];
  readonly pods: ReadonlySet<string | undefined>;
  /** Whether a pod that is not listed is gone. */
  readonly complete: boolean;
  /** Names of endpoints that are gone. */
  readonly gone: ReadonlySet<string>;
}

/** Each argument by itself, so that one that is gone does not hide the others; nothing is attached to a second time. */
async function listAgain(invocation: TargetInvocation): Promise<Listed> {
  const { args, io } = invocation;
  const flags = {
    ...invocation.flags,
    container: undefined,
    pid: undefined,
    'all-processes': false,
    attach: undefined,
  };
  const env = { ...io.env, NODEOPS_ATTACH: undefined };
  const endpoints: Endpoint[] = [];
  const gone = new Set<string>();
  let complete = true;
  for (const some of args.length === 0 ? [[]] : args.map((arg) => [arg])) {
    try {
      const { targets, skipped } = await resolveTargets({ ...invocation, args: some, flags, io: { ...io, env } });
      endpoints.push(...targets.map(({ endpoint }) => endpoint));
      if (skipped.length > 0) complete = false;
    } catch (error) {
      const [spec] = some.map(parseTarget);
      if (spec?.kind !== 'pid') complete &&= saysGone(error);
      else if (saysGone(error)) gone.add(`process ${spec.pid}`);
    }
  }
  return { endpoints, pods: new Set(endpoints.map(podOf)), complete, gone };
}

function podOf({ pod }: Endpoint): string | undefined {
  return pod && podKey(pod);
}

function keyOf({ namespace, pod, container, pid, address }: TargetName): string {
  return JSON.stringify([namespace, pod, container, pid, address]);
}
