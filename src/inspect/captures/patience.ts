/** Waiting in a capture: for its time to pass, and for a main thread that does not answer. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { Inspector } from '../inspector.ts';
import type { CaptureControl } from './capture.ts';

/** How long a main thread in native code is waited for until a capture gives up starting. */
export const startMs = 15_000;
/** How long is waited for what was captured: serializing takes time, and so may native code. */
export const collectMs = 60_000;
/** Silence after which the phase says what is waited for. */
const silenceMs = 1_000;

/** Until the time has passed or the capture was stopped early; `afterMs`: what it takes besides. Throws when it was abandoned. */
export function lapse(control: CaptureControl, milliseconds: number, afterMs = 0): Promise<void> {
  const { stopped, abandoned } = control;
  control.endsIn(milliseconds + afterMs);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', done);
      abandoned.removeEventListener('abort', done);
      control.endsIn(null);
      if (abandoned.aborted) reject(abandonedError());
      else resolve();
    };
    const timer = setTimeout(done, milliseconds);
    stopped.addEventListener('abort', done);
    abandoned.addEventListener('abort', done);
    if (stopped.aborted || abandoned.aborted) done();
  });
}

/**
 * Posts a command and waits longer than a reading would, saying so in the phase. Throws `stuck` after `timeoutMs`, and at
 * once when the capture is abandoned.
 */
export async function patiently<R>(
  inspector: Pick<Inspector, 'post'>,
  control: CaptureControl,
  phase: string,
  [method, params]: [method: string, params?: object],
  timeoutMs: number,
): Promise<R> {
  const { abandoned } = control;
  if (abandoned.aborted) throw abandonedError();
  control.phase(phase);
  const silent = setTimeout(
    () => control.phase(`${phase}: waiting for the main thread, which does not answer`),
    silenceMs,
  );
  let stop = (): void => {};
  const left = new Promise<never>((_, reject) => {
    stop = () => reject(abandonedError());
    abandoned.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([inspector.post<R>(method, params, { timeoutMs }), left]);
  } finally {
    clearTimeout(silent);
    abandoned.removeEventListener('abort', stop);
    control.phase(phase);
  }
}

export function abandonedError(): NodeopsError {
  return new NodeopsError('failed', 'the capture was abandoned');
}
