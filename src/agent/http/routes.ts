/** One request: checked, its process chosen, answered here or passed on. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { isOperationName, type Operation, type OperationName, operations } from '../../protocol/operations.ts';
import { parseParameters } from '../../protocol/parameters.ts';
import type { Envelope, ProcessInfo } from '../../protocol/replies.ts';
import { parseProcessSelector, pathPrefix, schema } from '../../protocol/wire.ts';
import { deadlineMs, perform } from '../operations/perform.ts';
import type { Pod } from '../pod.ts';
import type { Resident } from '../resident.ts';
import type { Stores } from '../store/stores.ts';
import { admit } from './admit.ts';
import { choose, type Way } from './choose.ts';
import { forward, hops } from './forward.ts';
import { keptName, sendKept } from './kept-files.ts';
import { isJobPath } from './paths.ts';

const selectorName = 'process';
/** A request passes the leader, and where a process does not answer its container's watcher. */
const hopLimit = 3;

export async function answer(
  pod: Pod,
  way: Way,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const { front } = way;
  admit(request.headers, pod.settings, way.proven);
  const [path = ''] = (request.url ?? '').split('?', 2);
  const selector = selectorOf(request.url ?? '');
  if (front === 'pod' || way.proven) await pod.refresh();
  /** False where the agent there does not answer. */
  const passOn = async (port: number, deadline = deadlineMs({}), asked?: ProcessInfo): Promise<boolean> => {
    if (hops(request) >= hopLimit) throw new NodeopsError('internal', 'agents pass this request round in a circle');
    const socket = await pod.reach(port).catch(() => undefined);
    if (!socket) return false;
    await forward(socket, asked ? naming(request.url ?? '', asked) : request.url, request, body, response, deadline);
    return true;
  };
  /** Answers for the process chosen, unless its own agent can, or its container's watcher. */
  const at = async (answerHere: (resident: Resident) => Promise<void>, deadline?: number): Promise<void> => {
    const chosen = choose(pod, way, selector);
    const isHere = isResident(chosen) && (!chosen.asleep || chosen.asleep.open !== undefined);
    const info = isResident(chosen) ? chosen.info : chosen;
    if (!isHere && (await passOn(info.port, deadline))) return;
    if (isResident(chosen)) return answerHere(chosen);
    const watcher = pod.watcherOf(info);
    if (watcher !== undefined && (await passOn(watcher, deadline, info))) return;
    throw unreachable(info);
  };

  /** The same of what is kept. It outlives its process: where no agent answers, whoever sees the containers' stores does. */
  const atKept = async (answerHere: (resident: Resident) => Promise<void>, deadline?: number): Promise<void> => {
    try {
      await at((chosen) => answerHere(keptOf(pod, chosen)), deadline);
    } catch (error) {
      if (asNodeopsError(error).code !== 'no-such-process' || response.headersSent) throw error;
      const elsewhere = pod.storesElsewhere?.();
      if (elsewhere !== undefined && (await passOn(elsewhere, deadline))) return;
      const stores = storesNamed(pod, selector);
      if (!stores) throw error;
      await answerHere({ ...pod.self, stores });
    }
  };

  const kept = keptName(path);
  if (kept !== undefined) return atKept((resident) => sendKept(resident, kept, request, response));
  if (isJobPath(path)) {
    const { answerJob, runsHere } = await import('./jobs.ts');
    const resident = runsHere(pod, path);
    return resident
      ? answerJob(pod, resident, request, response)
      : at((chosen) => answerJob(pod, chosen, request, response));
  }
  const { name, given } = parseTarget(request.url ?? '');
  const operation: Operation = operations[name];
  const method = operation.effect === 'read' ? 'GET' : 'POST';
  if (request.method !== method) {
    response.setHeader('allow', method);
    throw new NodeopsError('bad-request', `'${name}' takes ${method}, not ${request.method}`);
  }
  if (operation.effect === 'effect' && pod.settings.readOnly)
    throw new NodeopsError('not-permitted', `'${name}' changes the process, and this agent is read-only`);
  const parameters = parseParameters(operation.parameters, given);
  const deadline = deadlineMs(parameters, operation);

  if (operation.scope === 'pod') {
    if (front !== 'pod') await pod.refresh();
    return send(response, await perform(pod, pod.self, name, parameters));
  }
  const reach = name === 'artifacts' || name === 'remove-artifact' ? atKept : at;
  return reach(async (resident) => send(response, await perform(pod, resident, name, parameters)), deadline);
}

/** A process without an agent has nothing of its own: what its container kept is answered for instead. */
function keptOf(pod: Pod, chosen: Resident): Resident {
  if (!pod.stores || !(chosen.asleep?.open || chosen === pod.self)) return chosen;
  const stores = pod.stores(chosen === pod.self ? undefined : (chosen.info.container ?? undefined));
  return stores ? { ...pod.self, stores } : chosen;
}

/** A pid alone says nothing of the container, once the process is gone. */
function storesNamed(pod: Pod, selector: string | undefined): Stores | undefined {
  const { container, pid } = selector === undefined ? {} : parseProcessSelector(selector);
  if (container === undefined && pid !== undefined) return undefined;
  return pod.stores?.(container === pod.self.info.container ? undefined : container);
}

/** The same request, for one process by name. */
function naming(target: string, { container, pid }: ProcessInfo): string {
  const [path = '', query] = target.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.set(selectorName, container === null ? String(pid) : `${container}/${pid}`);
  return `${path}?${parameters}`;
}

function unreachable({ container, pid }: ProcessInfo): NodeopsError {
  const name = container === null ? String(pid) : `${container}/${pid}`;
  return new NodeopsError('stuck', `process ${name} is on standby and its main thread does not react`, {
    hint: '--attach=exec looks at it from outside',
  });
}

function isResident(chosen: Resident | ProcessInfo): chosen is Resident {
  return 'info' in chosen;
}

/** `/v1/OPERATION?process=SELECTOR&PARAMETER=VALUE` taken apart. */
function parseTarget(target: string): { name: OperationName; given: [string, string][] } {
  const [path = '', query = ''] = target.split('?', 2);
  const name = path.startsWith(pathPrefix) ? path.slice(pathPrefix.length) : '';
  if (!isOperationName(name))
    throw new NodeopsError('no-such-operation', `there is no operation at '${path.slice(0, 64)}'`, {
      hint: `operations: ${Object.keys(operations).join(', ')}`,
    });
  return { name, given: [...new URLSearchParams(query)].filter(([key]) => key !== selectorName) };
}

function selectorOf(target: string): string | undefined {
  const selectors = new URLSearchParams(target.split('?', 2)[1]).getAll(selectorName);
  if (selectors.length > 1)
    throw new NodeopsError('bad-request', `'${selectorName}' is given ${selectors.length} times`);
  return selectors[0];
}

function send(response: ServerResponse, reply: Omit<Envelope<unknown>, 'schema' | 'at'>): void {
  const envelope: Envelope<unknown> = { schema, ...reply, at: new Date().toISOString() };
  const body = JSON.stringify(envelope);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
