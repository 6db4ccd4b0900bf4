import type { Inspector } from './inspector.ts';

/** A worker thread of the target, reached through its main thread's inspector. */
export interface WorkerLine {
  /** As `worker_threads.threadId` numbers it. */
  readonly threadId: number;
  readonly name: string | null;
  readonly inspector: Pick<Inspector, 'post'>;
}

/** Replies of workers that are kept waiting for; a process with more workers has the further ones counted only. */
export const workersAsked = 64;

/**
 * Finds the worker threads and how to ask each; `except` (the agent's own) is left out and never asked.
 * They stay attached until the session ends.
 */
export async function attachWorkers(inspector: Inspector, except: number | undefined): Promise<WorkerLine[]> {
  const workers: WorkerLine[] = [];
  const answers = new Map<string, (message: { result?: unknown; error?: { message: string } }) => void>();
  inspector.on('NodeWorker.receivedMessageFromWorker', (params: { sessionId: string; message: string }) => {
    const message = JSON.parse(params.message) as { id?: number; result?: unknown; error?: { message: string } };
    const key = `${params.sessionId}/${message.id}`;
    answers.get(key)?.(message);
    answers.delete(key);
  });
  let lastId = 0;
  const stop = inspector.on(
    'NodeWorker.attachedToWorker',
    ({ sessionId, workerInfo }: { sessionId: string; workerInfo: { title: string } }) => {
      // `[worker 3]`, `[worker 3] name`; from Node 24 on the name of those without one is WorkerThread
      const [, id, name] = /^\[worker (\d+)\] ?(.*)$/s.exec(workerInfo.title) ?? [];
      if (id === undefined || Number(id) === except) return;
      const post = <R>(method: string, params: object = {}): Promise<R> =>
        new Promise<R>((resolve, reject) => {
          const id = ++lastId;
          answers.set(`${sessionId}/${id}`, ({ result, error }) =>
            error ? reject(new Error(error.message)) : resolve(result as R),
          );
          inspector
            .post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method, params }) })
            .catch(reject);
        });
      workers.push({ threadId: Number(id), name: name && name !== 'WorkerThread' ? name : null, inspector: { post } });
    },
  );
  await inspector.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  stop();
  return workers.sort((a, b) => a.threadId - b.threadId);
}
