/**
 * How long things take. On its own the embedded cluster does everything at once, which no real cluster does: with
 * `NODEOPS_CLUSTER_PACE=real` each of these waits comes in between, so that what relies on being told at once is found out.
 */
const isReal = process.env.NODEOPS_CLUSTER_PACE === 'real';

/** From and to, in ms: what a small real node was seen to take, or is documented to. */
const waits = {
  /** Until the scheduler has placed a pod. */
  schedule: [20, 300],
  /** Until the kubelet takes up a pod, or a change of one. */
  sync: [50, 500],
  /** A pod's network, by the CNI's programs. */
  sandbox: [300, 1_500],
  /** One container, from its making to its first instruction. */
  container: [200, 1_500],
  /** A registry's answer, which is a refusal: there is no other one. */
  pull: [500, 3_000],
  /** What has happened in containers is looked at once a second, and told in one go. */
  status: [300, 1_400],
  /** From a pod's last process to the pod's end in the API. */
  removal: [500, 2_000],
  /** Mounted ConfigMaps and Secrets (a kubelet's period is a minute, and its cache's another). */
  volumes: [20_000, 80_000],
  events: [50, 800],
  /** From a line's writing to its being read. */
  logs: [50, 600],
  watch: [5, 250],
  controllers: [30, 500],
  /** Until what a controller brings to a new namespace is there. */
  namespace: [100, 1_500],
  /** Until the authorizer has heard of a change of roles and bindings. */
  rbac: [100, 1_500],
  /** Through kubelet and runtime, before a stream is accepted. */
  stream: [50, 250],
} as const satisfies Record<string, readonly [number, number]>;

export type Wait = keyof typeof waits;

export const pace = { isReal };

function drawn(what: Wait): number {
  const [from, to] = waits[what];
  return from + Math.random() * (to - from);
}

/** Resolves when that has passed. */
export function hold(what: Wait): Promise<void> {
  return isReal ? new Promise((resolve) => setTimeout(resolve, drawn(what))) : Promise.resolve();
}

/** Runs it when that has passed; at once where nothing takes time. */
export function later(what: Wait, run: () => void): void {
  if (isReal) setTimeout(run, drawn(what));
  else run();
}

/** As `later`, for things of one kind: none overtakes the one before. */
export function queued(what: Wait): (run: () => void) => void {
  if (!isReal) return (run) => run();
  const waiting: { run: () => void; dueMs: number }[] = [];
  let lastMs = 0;
  const turn = () => {
    while (waiting[0] && waiting[0].dueMs <= performance.now()) waiting.shift()!.run();
    if (waiting[0]) setTimeout(turn, Math.max(1, waiting[0].dueMs - performance.now()));
  };
  return (run) => {
    lastMs = Math.max(lastMs, performance.now() + drawn(what));
    waiting.push({ run, dueMs: lastMs });
    if (waiting.length === 1) setTimeout(turn, Math.max(1, lastMs - performance.now()));
  };
}
