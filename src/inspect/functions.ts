/** Where functions of the target begin, without calling or printing any. */
import type { RemoteObject } from './evaluate.ts';
import type { CallFrame } from './frames.ts';
import type { Inspector } from './inspector.ts';
import { knownScripts, scriptFacts } from './scripts.ts';
import type { Subject } from './subject.ts';

export interface Property {
  readonly name: string;
  readonly value?: RemoteObject & { readonly description?: string };
}
export interface Properties {
  readonly result: readonly Property[];
  readonly internalProperties?: readonly Property[];
}

/** A function's place, and the source map V8 knows for its script. */
export interface Place {
  readonly frame: CallFrame;
  readonly sourceMapUrl: string | undefined;
}

interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** Functions of one reply that are looked up: each takes a command, or two. */
const limit = 64;

/** What an object has of its own; getters are not run. Nothing without an id. */
export async function propertiesOf(inspector: Inspector, objectId: string | undefined): Promise<Properties> {
  if (objectId === undefined) return { result: [] };
  return inspector.post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
}

/**
 * What a function in the target returned as `{ value, functions }`: the value, and the places of the functions, undefined
 * for native ones and Node's own.
 */
export async function readWithFunctions<T>(
  subject: Subject,
  inspector: Inspector,
  { objectId }: RemoteObject,
): Promise<{ value: T; places: (Place | undefined)[] }> {
  const value = await returnedValue<T>(inspector, objectId);
  const { result } = await propertiesOf(inspector, objectId);
  const array = result.find(({ name }) => name === 'functions')?.value;
  const list = (await propertiesOf(inspector, array?.objectId)).result;
  const functions = list.filter(({ name }) => /^\d+$/.test(name)).slice(0, limit);
  const found: ({ name: string; location: Location } | undefined)[] = [];
  for (const { value } of functions) found.push(await locate(inspector, value?.objectId));
  const ids = new Set(found.flatMap((place) => place?.location.scriptId ?? []));
  const scripts = await scriptFacts(inspector, ids, knownScripts(subject));
  const places = found.map((place): Place | undefined => {
    const script = place && scripts.get(place.location.scriptId);
    if (!place || !script || script.url === '' || script.url.startsWith('node:')) return undefined;
    const { sourceMapUrl, url } = script;
    return { frame: { ...place.location, functionName: place.name, url }, sourceMapUrl };
  });
  return { value, places };
}

/** The `value` of what a function in the target returned. Copied by V8, for the app may have its own idea of JSON. */
export async function returnedValue<T>(inspector: Inspector, objectId: string | undefined): Promise<T> {
  const { result } = await inspector.post<{ result: RemoteObject<T> }>('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: 'function () { return this.value; }',
    returnByValue: true,
    silent: true,
  });
  return result.value as T;
}

/** Of a bound function, where the one behind it begins. */
async function locate(
  inspector: Inspector,
  objectId: string | undefined,
  behind = 0,
): Promise<{ name: string; location: Location } | undefined> {
  const { result, internalProperties = [] } = await propertiesOf(inspector, objectId);
  const internal = (name: string) => internalProperties.find((property) => property.name === name)?.value;
  const location = internal('[[FunctionLocation]]')?.value as Location | undefined;
  const name = result.find((property) => property.name === 'name')?.value?.value;
  if (location) return { name: typeof name === 'string' ? name : '', location };
  const target = internal('[[TargetFunction]]')?.objectId;
  return target !== undefined && behind < 3 ? locate(inspector, target, behind + 1) : undefined;
}
