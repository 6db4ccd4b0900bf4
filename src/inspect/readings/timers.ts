import type { Creation, Creations } from '../creations.ts';
import type { RemoteObject } from '../evaluate.ts';
import { type Place, propertiesOf, readWithFunctions } from '../functions.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';

/** A timer that keeps the loop alive. */
export interface TimerFigures {
  readonly repeats: boolean;
  readonly periodMs: number;
  /** Until it is due, to some 50 ms; negative when it is late, null where that cannot be known. */
  readonly remainingMs: number | null;
  readonly created: Creation | null;
  /** Index of its callback's place, -1 for none. */
  readonly callback: number;
}

interface TimerNode {
  _idleNext?: TimerNode;
  _idleStart?: number;
  _idleTimeout?: number;
  _repeat?: unknown;
  _onTimeout?: unknown;
  hasRef?: () => boolean;
}

const group = 'nodeops-timers';
const none: { timers: TimerFigures[]; places: (Place | undefined)[] } = { timers: [], places: [] };

/**
 * The timers that keep the loop alive, and where their callbacks begin. Node has no interface for them: they are read
 * from where its own `timers` module keeps them, by the inspector's view into a function's scope, so that nothing has to be
 * patched or scanned. Empty where a Node keeps them elsewhere (it is the same in 20 to 26).
 */
export async function readTimers(
  subject: Subject,
  inspector: Inspector,
  { limit, places }: { limit: number; places: boolean },
): Promise<typeof none> {
  try {
    const { result: clear } = await inspector.post<{ result: RemoteObject }>('Runtime.evaluate', {
      expression: "process.getBuiltinModule('timers').clearTimeout",
      objectGroup: group,
      silent: true,
    });
    const { internalProperties = [] } = await propertiesOf(inspector, clear.objectId);
    const scopes = internalProperties.find(({ name }) => name === '[[Scopes]]')?.value?.objectId;
    const closure = (await propertiesOf(inspector, scopes)).result[0]?.value?.objectId;
    const variables = (await propertiesOf(inspector, closure)).result;
    const lists = variables.find(({ name }) => name === 'timerListMap')?.value?.objectId;
    if (!lists) return none;
    const { result } = await inspector.post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
      objectId: lists,
      objectGroup: group,
      functionDeclaration: readTimerLists.toString(),
      arguments: [{ value: limit }, { value: places }],
      silent: true,
    });
    const read = await readWithFunctions<TimerFigures[]>(subject, inspector, result);
    return { timers: read.value, places: read.places };
  } catch {
    return none;
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}

/** `every 1000 ms`, `once after 50 ms` */
export function timerSentence({ repeats, periodMs }: TimerFigures): string {
  return `${repeats ? 'every' : 'once after'} ${periodMs} ms`;
}

/** Runs in the target on Node's map of duration → linked list of timers. See evaluate.ts for its limits. */
function readTimerLists(
  this: Record<string, TimerNode>,
  limit: number,
  places: boolean,
): { value: TimerFigures[]; functions: unknown[] } {
  const found: TimerFigures[] = [];
  const functions: unknown[] = [];
  const creations = (globalThis as unknown as Record<symbol, Creations | undefined>)[Symbol.for('nodeops.creations')];
  const clock = globalThis.performance;
  // timers count from when the environment was made; what the loop ran and waited since its start is told by Node's own clock, whatever
  // the app has put in the place of performance.now
  const timing = clock?.nodeTiming;
  const loop = timing && timing.loopStart > 0 ? clock.eventLoopUtilization() : { idle: 0, active: 0 };
  const ranMs = loop.idle + loop.active;
  const now = timing ? (ranMs > 0 ? timing.loopStart + ranMs : clock.now()) - timing.environment : null;
  for (const milliseconds of Object.keys(this)) {
    const list = this[milliseconds];
    let node = list?._idleNext;
    while (node && node !== list && found.length < limit) {
      if (node.hasRef?.() !== false) {
        let callback = -1;
        if (places && typeof node._onTimeout === 'function') {
          callback = functions.indexOf(node._onTimeout);
          if (callback < 0) callback = functions.push(node._onTimeout) - 1;
        }
        const due = typeof node._idleStart === 'number' ? node._idleStart + Number(milliseconds) : null;
        found.push({
          repeats: Boolean(node._repeat),
          periodMs: Number(milliseconds),
          remainingMs: due === null || now === null ? null : Math.round(due - now),
          created: creations?.of(node) ?? null,
          callback,
        });
      }
      node = node._idleNext;
    }
  }
  return { value: found, functions };
}
