/** Asks the main thread for its figures: one evaluation, at the next interrupt of whatever it runs. */
import type { Pulse } from '../../inspect/counters.ts';
import { openUnseen } from './unseen-session.ts';

/** JavaScript answers within milliseconds; whoever does not is in native code. */
const patienceMs = 250;

/** Undefined where it does not answer in time, or has no counters. */
export async function askPulse(timed: boolean): Promise<Pulse | undefined> {
  try {
    const inspector = openUnseen();
    try {
      const expression = `globalThis[Symbol.for('nodeops.counters')].pulse(${timed})`;
      const parameters = { expression, returnByValue: true, silent: true };
      const { result } = await inspector.post<{ result: { value?: Pulse } }>('Runtime.evaluate', parameters, {
        timeoutMs: patienceMs,
      });
      return result.value;
    } finally {
      await inspector.close();
    }
  } catch {
    return undefined;
  }
}
