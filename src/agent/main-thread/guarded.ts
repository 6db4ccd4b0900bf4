/**
 * For everything of ours that Node calls in the app's main thread: what is thrown there would be the app's uncaught exception, and
 * an app may have put anything in the place of a function that we use.
 */
export function guarded<A extends unknown[]>(act: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      act(...args);
    } catch {
      // the agent is worse off, the app is not
    }
  };
}
