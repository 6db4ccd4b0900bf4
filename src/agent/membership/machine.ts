/** Runs a pure reducer: events in, effects out, one at a time. */
export interface Machine<State, Event> {
  readonly state: State;
  send(event: Event): void;
}

/** `act` may send further events at once: they are taken in turn. */
export function run<State, Event, Effect>(
  [first, begin]: readonly [State, readonly Effect[]],
  next: (state: State, event: Event) => readonly [State, readonly Effect[]],
  act: (effect: Effect, send: (event: Event) => void) => void,
): Machine<State, Event> {
  let state = first;
  const due: Effect[] = [...begin];
  let acting = false;
  const drain = (): void => {
    if (acting) return;
    acting = true;
    try {
      for (let effect = due.shift(); effect !== undefined; effect = due.shift()) act(effect, send);
    } finally {
      acting = false;
    }
  };
  const send = (event: Event): void => {
    const [after, effects] = next(state, event);
    state = after;
    due.push(...effects);
    drain();
  };
  drain();
  return {
    get state() {
      return state;
    },
    send,
  };
}
