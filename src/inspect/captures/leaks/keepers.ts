/**
 * Who keeps what a site allocates, without a snapshot: the collections that the function and its callers can reach, through the variables
 * around them and the instances of the class that they are methods of. Nothing in the target is called but V8's own and our probes.
 */
import type { KeptBy } from '../../../protocol/leaks.ts';
import { type Probe, type RemoteObject, referProbe } from '../../evaluate.ts';
import type { CallFrame } from '../../frames.ts';
import { type Properties, type Property, propertiesOf } from '../../functions.ts';
import type { Inspector } from '../../inspector.ts';
import {
  countListeners,
  emittersProbe,
  findCollections,
  globalsProbe,
  pickFunctions,
  pickPrototypes,
  typesProbe,
} from './probes.ts';
import { frameKey } from './survivors.ts';

export type Collection = Omit<KeptBy, 'from'>;

/** One look at the suspects' surroundings. */
export interface Census {
  /** By `frameKey` of a function: collections that it can reach. */
  readonly collections: ReadonlyMap<string, readonly Collection[]>;
  readonly listeners: readonly { readonly name: string; readonly count: number }[];
}

/** Functions looked at: each takes half a dozen questions. */
const functionsLooked = 256;
/** Instances of a class that are looked at. */
const instancesLooked = 8;
/** Variables of one scope: the scope of a bundle has thousands. */
const variablesLooked = 400;
const leastEntries = 8;
/** Of the same function, as a closure of several. */
const closuresLooked = 2;
/** V8 collects first, several times: a heap of 100 MB takes a second. */
const queryMs = 60_000;

type Held = Pick<RemoteObject, 'objectId'>;
type Value = Property['value'];

export async function takeCensus(
  inspector: Inspector,
  functions: readonly CallFrame[],
  objectGroup: string,
): Promise<Census> {
  const target = new Target(inspector, objectGroup);
  try {
    const emitters = await target.instancesOf(emittersProbe);
    const listeners = await target.callByValue<Census['listeners']>(emitters, countListeners, []);
    const wanted = new Map(functions.map((frame) => [frameKey(frame), frame]));
    const collections = wanted.size === 0 ? new Map() : await target.collectionsAround(wanted);
    return { collections, listeners };
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup }).catch(() => {});
  }
}

class Target {
  readonly #inspector: Inspector;
  readonly #objectGroup: string;
  #types: Held | undefined;
  #globals: Promise<Properties> | undefined;

  constructor(inspector: Inspector, objectGroup: string) {
    this.#inspector = inspector;
    this.#objectGroup = objectGroup;
  }

  /** The probe returns their prototype. */
  async instancesOf(prototype: Probe<object, object>): Promise<Held> {
    return this.#query(await this.#refer(prototype));
  }

  async collectionsAround(wanted: ReadonlyMap<string, CallFrame>): Promise<Map<string, Collection[]>> {
    const names = [...new Set([...wanted.values()].map(({ functionName }) => plainName(functionName)))];
    const all = await this.instancesOf(() => Function.prototype);
    const picked = await this.#call(all, pickFunctions, [{ value: names }, { value: functionsLooked }]);
    const found = new Map<string, Collection[]>();
    const looked = new Map<string, number>();
    const methods: { readonly name: string; readonly key: string; readonly objectId: string | undefined }[] = [];
    const properties = (objectId: string | undefined) => propertiesOf(this.#inspector, objectId);
    // all at once: each answer waits for the main thread
    const located = await Promise.all(
      (await this.#elements(picked)).map(async (each) => {
        const { internalProperties = [] } = await properties(each.objectId);
        const place = valueNamed(internalProperties, '[[FunctionLocation]]')?.value as CallFrame | undefined;
        return { each, key: place && frameKey(place), scopes: valueNamed(internalProperties, '[[Scopes]]') };
      }),
    );
    for (const { each, key, scopes } of located) {
      const frame = key && wanted.get(key);
      if (!frame) continue;
      const times = looked.get(key) ?? 0;
      looked.set(key, times + 1);
      if (times >= closuresLooked) continue;
      if (frame.functionName) methods.push({ name: plainName(frame.functionName), key, objectId: each.objectId });
      add(found, key, await this.#inScopes(await properties(scopes?.objectId), each.description ?? ''));
    }
    const given = methods.map(({ objectId }) => ({ objectId }));
    const classes = await this.#call(all, pickPrototypes, [{ value: methods.map(({ name }) => name) }, ...given]);
    for (const prototype of await this.#elements(classes)) {
      const instances = await this.#elements(await this.#query(prototype), instancesLooked);
      const own = await propertiesOf(this.#inspector, prototype.objectId);
      const held = instances.map((value) => ({ name: `a ${value.description ?? 'object'}`, value }));
      const collections = await this.#collections(held);
      for (const { name, key } of methods)
        if (own.result.some((property) => property.name === name)) add(found, key, collections);
    }
    return found;
  }

  /** Variables that the function's source names: a module's functions share the scope, and most of it is not theirs. */
  async #inScopes(scopes: Properties, source: string): Promise<Collection[]> {
    const named = new Set(source.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
    this.#globals ??= propertiesOf(this.#inspector, (await this.#refer(globalsProbe)).objectId);
    const variables: { name: string; value: Value }[] = [];
    const near = elementsOf(scopes).filter(({ description }) => !/^Global/.test(description ?? ''));
    const each = await Promise.all(near.map(({ objectId }) => propertiesOf(this.#inspector, objectId)));
    for (const { name, value } of each.flatMap(({ result }) => result))
      if (named.has(name) && value?.type === 'object' && value.objectId && variables.length < variablesLooked)
        variables.push({ name: `variable ${name}`, value });
    for (const { name, value } of (await this.#globals).result)
      if (named.has(name) && value?.objectId) variables.push({ name: `global.${name}`, value });
    return this.#collections(variables);
  }

  async #collections(roots: readonly { name: string; value: Value }[]): Promise<Collection[]> {
    if (roots.length === 0) return [];
    this.#types ??= await this.#refer(typesProbe);
    const values = roots.map(({ value }) => ({ objectId: value!.objectId }));
    const names = { value: roots.map(({ name }) => name) };
    return this.callByValue(this.#types, findCollections, [names, { value: leastEntries }, ...values]);
  }

  async #elements(array: Held, most = functionsLooked) {
    return elementsOf(await propertiesOf(this.#inspector, array.objectId), most);
  }

  async callByValue<R>(on: Held, probe: (...given: never[]) => unknown, values: readonly object[]): Promise<R> {
    return (await this.#call<R>(on, probe, values, true)).value;
  }

  async #refer(probe: Probe<object, object>): Promise<Held> {
    return (await referProbe(this.#inspector, probe, {}, this.#objectGroup)) as Held;
  }

  async #query({ objectId }: Held): Promise<Held> {
    const { objects } = await this.#inspector.post<{ objects: Held }>(
      'Runtime.queryObjects',
      { prototypeObjectId: objectId, objectGroup: this.#objectGroup },
      { timeoutMs: queryMs },
    );
    return objects;
  }

  async #call<R = unknown>(
    { objectId }: Held,
    probe: (...given: never[]) => unknown,
    values: readonly object[],
    returnByValue = false,
  ) {
    const { result } = await this.#inspector.post<{ result: Held & { value: R } }>('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `function ${probe.toString().replace(/^(?:function )?\w+/, '')}`,
      arguments: values,
      silent: true,
      returnByValue,
      objectGroup: this.#objectGroup,
    });
    return result;
  }
}

/** V8 names a method with its class in a profile on some versions: `Store.add`. */
function plainName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function valueNamed(properties: readonly Property[], wanted: string): Value {
  return properties.find(({ name }) => name === wanted)?.value;
}

function elementsOf({ result }: Properties, most = functionsLooked): (NonNullable<Value> & Held)[] {
  return result
    .flatMap(({ name, value }) =>
      /^\d+$/.test(name) && value?.objectId !== undefined ? [value as NonNullable<Value> & Held] : [],
    )
    .slice(0, most);
}

function add(into: Map<string, Collection[]>, key: string, collections: readonly Collection[]): void {
  const there = into.get(key) ?? [];
  const paths = new Set(there.map(({ path }) => path));
  into.set(key, [...there, ...collections.filter(({ path }) => !paths.has(path))]);
}
