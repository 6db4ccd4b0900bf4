import { NodeopsError } from '../protocol/errors.ts';
import type { Inspector } from './inspector.ts';

/** How a probe gets Node's modules in the target: `process.getBuiltinModule`, or `require` on Node before 20.16. */
export type LoadModule = (name: string) => unknown;

/**
 * A function whose source text travels: it uses no name from outside itself. The functions in it are methods of an object
 * or arguments, for the bundler's `keepNames` wraps all others in a helper that the target does not have.
 */
export type Probe<A, R> = (input: A, load: LoadModule) => R;

interface Evaluated<R> {
  result: { value?: R };
  exceptionDetails?: { text: string; exception?: { description?: string } };
}

/**
 * Runs a probe in the target's main thread and returns its plain result. It runs at the next interrupt check of whatever
 * JavaScript is running there, without pausing it and without running its microtasks.
 * Throws `stuck`, or `failed` when the probe threw.
 */
export async function evaluateProbe<A, R>(inspector: Inspector, probe: Probe<A, R>, input: A): Promise<R> {
  const call = `(${probe.toString()})(${JSON.stringify(input)}`;
  const viaProcess = `typeof process === 'object' && typeof process?.getBuiltinModule === 'function' ? ${call}, (name) => process.getBuiltinModule(name)) : undefined`;
  const value = await evaluate<R>(inspector, viaProcess, false);
  if (value !== undefined) return value;
  // the command line API puts names on the global object while it evaluates, so it is asked for only where it is needed
  return (await evaluate<R>(inspector, `${call}, require)`, true)) as R;
}

async function evaluate<R>(
  inspector: Inspector,
  expression: string,
  includeCommandLineAPI: boolean,
): Promise<R | undefined> {
  const { result, exceptionDetails } = await inspector.post<Evaluated<R>>('Runtime.evaluate', {
    expression,
    includeCommandLineAPI,
    returnByValue: true,
    silent: true,
  });
  if (exceptionDetails) {
    const reason = exceptionDetails.exception?.description ?? exceptionDetails.text;
    throw new NodeopsError('failed', `the process refused to be looked at: ${reason.split('\n', 1)[0]}`);
  }
  return result.value;
}
