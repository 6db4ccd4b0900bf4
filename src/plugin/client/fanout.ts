import { asNodeopsError, type NodeopsError } from '../../protocol/errors.ts';

/** What came of one of several things asked at once. */
export type Outcome<T, R> =
  | { readonly of: T; readonly value: R; readonly error?: undefined }
  | { readonly of: T; readonly value?: undefined; readonly error: NodeopsError };

export interface FanOutOptions {
  /** Asked at the same time at most. @default 32 */
  readonly concurrency?: number;
  /** Called as results come, in no particular order. */
  readonly onOutcome?: (done: number, all: number) => void;
}

/** Asks all, a bounded number at a time; results keep the order of `items`. One that fails or is slow holds nobody up. */
export async function fanOut<T, R>(
  items: readonly T[],
  ask: (item: T) => Promise<R>,
  { concurrency = 32, onOutcome }: FanOutOptions = {},
): Promise<Outcome<T, R>[]> {
  const outcomes: Outcome<T, R>[] = new Array(items.length);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const of = items[index]!;
      outcomes[index] = await ask(of).then(
        (value) => ({ of, value }),
        (error: unknown) => ({ of, error: asNodeopsError(error) }),
      );
      onOutcome?.(++done, items.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  return outcomes;
}
