/**
 * Who watches a container, as a pure reducer for one of its processes. A process that finds no watcher becomes the candidate, one at a time,
 * and starts the worker that takes the watcher's name. The others keep a connection to the watcher, and elect anew when it ends.
 */

export type Election =
  /** Asked for the candidate's name. */
  | { readonly is: 'standing'; readonly failures: number }
  /** Is the candidate: its worker starts. */
  | { readonly is: 'starting'; readonly failures: number }
  | { readonly is: 'watching'; readonly failures: number }
  | { readonly is: 'linking'; readonly failures: number }
  /** On standby: another one watches. */
  | { readonly is: 'following' }
  | { readonly is: 'waiting'; readonly failures: number; readonly next: 'stand' | 'link' }
  | { readonly is: 'ended' };

export type ElectionEvent =
  | { readonly type: 'named' }
  | { readonly type: 'name-taken' }
  /** The worker has the watcher's name. */
  | { readonly type: 'worker-watches' }
  /** Another watcher was there before. */
  | { readonly type: 'worker-second' }
  | { readonly type: 'worker-ended' }
  | { readonly type: 'linked' }
  | { readonly type: 'link-refused' }
  | { readonly type: 'link-lost' }
  | { readonly type: 'due' }
  | { readonly type: 'end' };

export type ElectionEffect =
  | { readonly do: 'take-candidacy' }
  | { readonly do: 'drop-candidacy' }
  | { readonly do: 'start-worker' }
  | { readonly do: 'link' }
  | { readonly do: 'let-go' }
  | { readonly do: 'wait'; readonly ms: number };

type Step = readonly [Election, readonly ElectionEffect[]];

/** How soon a process on standby connects to its watcher: after the app's first second's work, since it is seen by who counts handles. */
export const linkAfterMs = 400;
const retryMs = 100;
const longestMs = 60_000;

/** `watched`: a watcher of this container is there already. */
export function beginElection(watched: boolean): Step {
  return watched ? wait(0, 'link', linkAfterMs) : stand(0);
}

/** Events that do not belong to a state come late from what was given up, and change nothing. */
export function elect(state: Election, event: ElectionEvent): Step {
  const stay: Step = [state, []];
  const failures = 'failures' in state ? state.failures : 0;
  const backOff = Math.min(longestMs, retryMs * 2 ** failures);
  if (event.type === 'end') return [{ is: 'ended' }, [{ do: 'let-go' }]];
  switch (state.is) {
    case 'standing':
      if (event.type === 'named') return [{ is: 'starting', failures }, [{ do: 'start-worker' }]];
      // who is the candidate will be the watcher in a moment
      return event.type === 'name-taken' ? wait(failures + 1, 'link', backOff) : stay;
    case 'starting':
      if (event.type === 'worker-watches') return [{ is: 'watching', failures }, [{ do: 'drop-candidacy' }]];
      if (event.type === 'worker-second') return drop(wait(failures + 1, 'link', backOff));
      return event.type === 'worker-ended' ? drop(wait(failures + 1, 'stand', 10 * backOff)) : stay;
    case 'watching':
      return event.type === 'worker-ended' ? wait(failures + 1, 'stand', 10 * backOff) : stay;
    case 'linking':
      if (event.type === 'linked') return [{ is: 'following' }, []];
      return event.type === 'link-refused' ? wait(failures + 1, 'stand', failures === 0 ? 0 : backOff) : stay;
    case 'following':
      return event.type === 'link-lost' ? stand(0) : stay;
    case 'waiting':
      if (event.type !== 'due') return stay;
      return state.next === 'stand' ? stand(failures) : [{ is: 'linking', failures }, [{ do: 'link' }]];
    default:
      return stay;
  }
}

function stand(failures: number): Step {
  return [{ is: 'standing', failures }, [{ do: 'take-candidacy' }]];
}
function wait(failures: number, next: 'stand' | 'link', ms: number): Step {
  return [{ is: 'waiting', failures, next }, [{ do: 'wait', ms: Math.min(longestMs, ms) }]];
}
function drop([state, effects]: Step): Step {
  return [state, [{ do: 'drop-candidacy' }, ...effects]];
}
