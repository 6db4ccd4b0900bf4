import { NodeopsError } from '../protocol/errors.ts';
import type { Inspector } from './inspector.ts';

/** How a probe gets Node's modules in the target: `process.getBuiltinModule`, or `require` on Node before 20.16. */
export type LoadModule = (name: string) => unknown;

/**
 * A function whose source text travels: it uses no name from outside itself. The functions in it are methods of an object
 * or arguments, for the bundler's `keepNames` wraps all others in a helper that the target does not have.
 */
export type Probe<A, R> = (input: A, load: LoadModule) => R;

/** What the inspector gives of a value: itself, or the id under which more can be asked about it. */
export interface RemoteObject<R = unknown> {
  readonly type: string;
  readonly value?: R;
  readonly objectId?: string;
}

interface Evaluated<R> {
  result: RemoteObject<R>;
  exceptionDetails?: { text: string; exception?: { description?: string } };
}

/**
 * Runs a probe in the target's main thread and returns its plain result. It runs at the next interrupt check of whatever
 * JavaScript is running there, without pausing it and without running its microtasks.
 * Throws `stuck`, or `failed` when the probe threw.
 */
export async function evaluateProbe<A, R>(inspector: Inspector, probe: Probe<A, R>, input: A): Promise<R> {
  return (await callProbe<A, R>(inspector, probe, input, { returnByValue: true })).value as R;
}

/** As evaluateProbe, but what the probe returns stays in the target, in an object group that the caller releases. */
export function referProbe<A, R>(
  inspector: Inspector,
  probe: Probe<A, R>,
  input: A,
  objectGroup: string,
): Promise<RemoteObject> {
  return callProbe(inspector, probe, input, { objectGroup });
}

async function callProbe<A, R>(
  inspector: Inspector,
  probe: Probe<A, R>,
  input: A,
  options: object,
): Promise<RemoteObject<R>> {
  const call = `(${probe.toString()})(${JSON.stringify(input)}`;
  const viaProcess = `typeof process === 'object' && typeof process?.getBuiltinModule === 'function' ? ${call}, (name) => process.getBuiltinModule(name)) : undefined`;
  const result = await evaluate<R>(inspector, viaProcess, { ...options, includeCommandLineAPI: false });
  if (result.type !== 'undefined') return result;
  // the command line API puts names on the global object while it evaluates, so it is asked for only where it is needed
  return evaluate<R>(inspector, `${call}, require)`, { ...options, includeCommandLineAPI: true });
}

async function evaluate<R>(inspector: Inspector, expression: string, options: object): Promise<RemoteObject<R>> {
  const { result, exceptionDetails } = await inspector.post<Evaluated<R>>('Runtime.evaluate', {
    ...options,
    expression,
    silent: true,
  });
  if (exceptionDetails) {
    const reason = exceptionDetails.exception?.description ?? exceptionDetails.text;
    throw new NodeopsError('failed', `the process refused to be looked at: ${reason.split('\n', 1)[0]}`);
  }
  return result;
}
