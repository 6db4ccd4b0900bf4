import type { Inspector } from './inspector.ts';

interface Property {
  name: string;
  value?: { objectId?: string };
}
interface Properties {
  result: Property[];
  internalProperties?: Property[];
}
interface TimerNode {
  _idleNext?: TimerNode;
  _repeat?: unknown;
  hasRef?: () => boolean;
}

const group = 'nodeops-timers';

/**
 * The timers that keep the loop alive, as sentences such as `every 1000 ms`. Node has no interface for them: they are read
 * from where its own `timers` module keeps them, by the inspector's view into a function's scope, so that nothing has to be
 * patched or scanned. Empty where a Node keeps them elsewhere (it is the same in 20 to 26).
 */
export async function describeTimers(inspector: Inspector, limit: number): Promise<string[]> {
  const properties = async (objectId: string | undefined): Promise<Properties> =>
    objectId === undefined
      ? { result: [] }
      : inspector.post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
  try {
    const { result: clear } = await inspector.post<{ result: { objectId?: string } }>('Runtime.evaluate', {
      expression: "process.getBuiltinModule('timers').clearTimeout",
      objectGroup: group,
      silent: true,
    });
    const { internalProperties = [] } = await properties(clear.objectId);
    const scopes = internalProperties.find(({ name }) => name === '[[Scopes]]')?.value?.objectId;
    const closure = (await properties(scopes)).result[0]?.value?.objectId;
    const lists = (await properties(closure)).result.find(({ name }) => name === 'timerListMap')?.value?.objectId;
    if (!lists) return [];
    const { result } = await inspector.post<{ result: { value?: string[] } }>('Runtime.callFunctionOn', {
      objectId: lists,
      functionDeclaration: readTimerLists.toString(),
      arguments: [{ value: limit }],
      returnByValue: true,
      silent: true,
    });
    return result.value ?? [];
  } catch {
    return [];
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}

/** Runs in the target on Node's map of duration → linked list of timers. See evaluate.ts for its limits. */
function readTimerLists(this: Record<string, TimerNode>, limit: number): string[] {
  const found: string[] = [];
  for (const milliseconds of Object.keys(this)) {
    const list = this[milliseconds];
    let node = list?._idleNext;
    while (node && node !== list && found.length < limit) {
      if (node.hasRef?.() !== false) found.push(`${node._repeat ? 'every' : 'once after'} ${milliseconds} ms`);
      node = node._idleNext;
    }
  }
  return found;
}
