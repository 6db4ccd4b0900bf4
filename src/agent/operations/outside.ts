/** The inspector of a process on standby whose main thread does not react: opened by SIGUSR1, and closed again. */
import { activate } from '../../inspect/activate.ts';
import type { Inspector } from '../../inspect/inspector.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Sleep } from '../resident.ts';

/** Throws `stuck` where the process must not be signalled, and when it has not opened its inspector within `timeoutMs`. */
export async function openOutside(pid: number, asleep: Sleep, timeoutMs?: number): Promise<Inspector> {
  if (asleep.open && asleep.isItself()) return asleep.open();
  if (asleep.ownsSigusr1())
    throw new NodeopsError(
      'stuck',
      `the main thread of process ${pid} does not react, and the app handles SIGUSR1 itself, so its inspector cannot be opened`,
    );
  // whoever reaches the port can say that it is process 1
  if (!asleep.isItself())
    throw new NodeopsError(
      'stuck',
      `the main thread of process ${pid} does not react, and it cannot be made sure that it may be signalled`,
    );
  return activate(pid, { timeoutMs });
}
