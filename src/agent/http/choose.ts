/** Which process a request is for. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { matchesSelector, parseProcessSelector } from '../../protocol/wire.ts';
import type { Front, Pod } from '../pod.ts';
import type { Resident } from '../resident.ts';

/** How a request came in. */
export interface Way {
  readonly front: Front;
  /** Another agent has proved itself, and has checked who asks. */
  readonly proven: boolean;
}

/**
 * A process this agent answers for, or the description of another's. `proven`: another agent asks, and may mean any process of this container.
 * Throws `no-such-process` or `ambiguous-process`, with the choices in `detail.processes`.
 */
export function choose(pod: Pod, { front, proven }: Way, selector: string | undefined): Resident | ProcessInfo {
  const parsed = selector === undefined ? undefined : parseProcessSelector(selector);
  const choices = front === 'pod' ? pod.list() : [front.info];
  const chosen = parsed ? choices.filter((info) => matchesSelector(parsed, info)) : choices;
  if (proven && parsed && front !== 'pod' && chosen.length === 0) {
    const asked = pod.residents().filter(({ info }) => matchesSelector(parsed, info));
    if (asked.length === 1) return asked[0]!;
  }
  const detail = { processes: choices };
  if (choices.length === 0)
    throw new NodeopsError('no-such-process', ['no Node.js process is seen here', ...pod.notes()].join('; '));
  if (chosen.length === 0)
    throw new NodeopsError('no-such-process', `there is no process '${selector}' here, only ${names(choices)}`, {
      detail,
    });
  if (chosen.length > 1)
    throw new NodeopsError('ambiguous-process', `${chosen.length} processes answer here: ${names(chosen)}`, {
      detail: { processes: chosen },
      hint: 'name one of them: CONTAINER/PID, PID or CONTAINER',
    });
  const [{ port, pid }] = chosen as [ProcessInfo];
  if (front !== 'pod') return front;
  return pod.residents().find(({ info }) => info.port === port && info.pid === pid) ?? chosen[0]!;
}

function names(processes: readonly ProcessInfo[]): string {
  const shown = processes
    .slice(0, 10)
    .map(({ container, pid }) => (container === null ? String(pid) : `${container}/${pid}`));
  return shown.join(', ') + (processes.length > 10 ? ` and ${processes.length - 10} more` : '');
}
