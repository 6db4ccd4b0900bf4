import { askAll } from '../client/ask.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';

export interface Chosen {
  /** Containers whose name it matches; undefined for all. */
  readonly pattern: RegExp | undefined;
  readonly pid: number | undefined;
}

/** Every process behind the targets that was chosen, by asking each pod's leader. A pod that cannot be asked stays, to fail by itself. */
export async function expand(
  targets: readonly Target[],
  { pattern, pid }: Chosen,
  io: Io,
  timeout: number | undefined,
): Promise<Target[]> {
  const answers = await askAll(targets, 'processes', {}, { timeout }, io);
  return answers.flatMap(({ of, value, error }) => {
    if (error) return [of];
    return value.data.processes
      .filter((process) => pid === undefined || process.pid === pid)
      .filter(({ container }) => !pattern || (container !== null && pattern.test(container)))
      .map((process) => ({
        ...of,
        process: process.container === null ? String(process.pid) : `${process.container}/${process.pid}`,
      }));
  });
}
