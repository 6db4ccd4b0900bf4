/** Who leads a pod, as a pure reducer: whoever has the known port. The others follow, and try for it when the leader ends. */

export type Leadership =
  /** Asked the kernel for the known port. */
  | { readonly is: 'trying'; readonly failures: number }
  | { readonly is: 'leading' }
  /** The port is another's: connecting to the leader, to learn of its end. */
  | { readonly is: 'linking'; readonly failures: number }
  | { readonly is: 'following' }
  /** The port can not be had, and no leader answers: another program has it, or it may not be taken. */
  | { readonly is: 'waiting'; readonly failures: number; readonly obstacle: string | undefined }
  | { readonly is: 'ended' };

export type LeadershipEvent =
  | { readonly type: 'listened' }
  | { readonly type: 'taken' }
  | { readonly type: 'failed'; readonly reason: string }
  | { readonly type: 'linked' }
  | { readonly type: 'link-refused' }
  | { readonly type: 'link-lost' }
  | { readonly type: 'due' }
  | { readonly type: 'end' };

export type LeadershipEffect =
  | { readonly do: 'listen' }
  | { readonly do: 'link' }
  | { readonly do: 'hold-name' }
  | { readonly do: 'let-go' }
  | { readonly do: 'wait'; readonly ms: number };

export interface LeadershipPaces {
  /** The first wait; each further one is twice as long. */
  readonly firstMs: number;
  readonly lastMs: number;
}

type Step = readonly [Leadership, readonly LeadershipEffect[]];

export const beginLeadership: Step = [{ is: 'trying', failures: 0 }, [{ do: 'listen' }]];

/** Refusals in a row that only mean that the leader has just gone, or has not named itself yet. */
const brief = 4;

/** Events that do not belong to a state come late from what was given up, and change nothing. */
export function lead(state: Leadership, event: LeadershipEvent, { firstMs, lastMs }: LeadershipPaces): Step {
  const stay: Step = [state, []];
  const again = (failures: number): Step => [{ is: 'trying', failures }, [{ do: 'listen' }]];
  const wait = (failures: number, obstacle: string | undefined): Step => [
    { is: 'waiting', failures, obstacle },
    [{ do: 'wait', ms: Math.min(lastMs, firstMs * 2 ** failures) }],
  ];
  if (event.type === 'end') return [{ is: 'ended' }, [{ do: 'let-go' }]];
  switch (state.is) {
    case 'trying':
      if (event.type === 'listened') return [{ is: 'leading' }, [{ do: 'hold-name' }]];
      if (event.type === 'taken') return [{ is: 'linking', failures: state.failures }, [{ do: 'link' }]];
      return event.type === 'failed' ? wait(state.failures + 1, event.reason) : stay;
    case 'linking':
      if (event.type === 'linked') return [{ is: 'following' }, []];
      if (event.type !== 'link-refused') return stay;
      return wait(
        state.failures + 1,
        state.failures < brief ? undefined : 'is taken by a program that is no nodeops agent',
      );
    case 'following':
      return event.type === 'link-lost' ? again(0) : stay;
    case 'waiting':
      return event.type === 'due' ? again(state.failures) : stay;
    default:
      return stay;
  }
}
