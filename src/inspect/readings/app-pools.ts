/** Pools that the app or its packages keep, found by what they look like: nothing of theirs is patched or loaded. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { OutboundPool } from '../../protocol/requests.ts';
import { type RemoteObject, referProbe } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import { searchPools } from '../probes/app-pools.ts';

/** What a search costs at most: objects looked at, the main thread's time of each of five steps, pools told. */
const bounds = { objects: 6_000, milliseconds: 25, most: 20 };
const functionsAtOnce = 30;
const rounds = 4;
const group = 'nodeops-pools';

interface Properties {
  readonly result: readonly { readonly name: string; readonly value?: RemoteObject }[];
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[];
}

/** None where it cannot be looked for. Throws `stuck`. */
export async function findAppPools(inspector: Inspector): Promise<OutboundPool[]> {
  const properties = (objectId: string) =>
    inspector.post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
  try {
    const search = await referProbe(inspector, searchPools, bounds, group);
    const call = async <R>(text: string, args: readonly RemoteObject[], options: object) => {
      const parameters = { objectId: search.objectId, functionDeclaration: text, silent: true, ...options };
      const all = { ...parameters, arguments: args.map(({ objectId }) => ({ objectId })) };
      return (await inspector.post<{ result: RemoteObject<R> }>('Runtime.callFunctionOn', all)).result;
    };
    for (let round = 0; round < rounds; round++) {
      const take = `function () { return this.take(${functionsAtOnce}); }`;
      const { objectId } = await call(take, [], { objectGroup: group });
      const functions = (await properties(objectId!)).result.flatMap(({ name, value }) =>
        /^\d+$/.test(name) && value?.objectId ? [value.objectId] : [],
      );
      if (functions.length === 0) break;
      const all = await Promise.all(functions.map(properties));
      const scopes = all.flatMap(
        ({ internalProperties = [] }) => internalProperties.find(({ name }) => name === '[[Scopes]]')?.value ?? [],
      );
      await call('function (...scopes) { this.enter(scopes); }', scopes, { returnByValue: true });
    }
    const found = 'function () { return this.found(); }';
    return (await call<OutboundPool[]>(found, [], { returnByValue: true })).value ?? [];
  } catch (error) {
    if (error instanceof NodeopsError && error.code === 'failed') return [];
    throw error;
  } finally {
    await inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}
