/**
 * How a process can end while its worker has an inspector session open: by the `exit` event, and past it by `process.reallyExit` and by a
 * signal to itself, of which Node makes an end of its own. docs/guest.md names the two functions that are stood in for.
 */
import { constants } from 'node:os';
import { guarded } from './guarded.ts';

type Native = (...args: unknown[]) => unknown;
const natives = process as unknown as Record<'reallyExit' | '_kill', Native | undefined>;

interface WaysOut {
  /** It ends: this is the last that runs of ours. */
  exit(code: number): void;
  /** It ends without another word, or goes on after a signal that does nothing: called before, and what it returns afterwards. */
  suddenly(): () => void;
}

/** Returns what ends it. */
export function watchWaysOut({ exit, suddenly }: WaysOut): () => void {
  const listener = guarded(exit);
  process.on('exit', listener);
  const restore = [
    standIn('reallyExit', () => true, suddenly),
    standIn('_kill', ([pid, signal]) => endsItself(pid as number, signal as number), suddenly),
  ];
  return () => {
    process.off('exit', listener);
    for (const undo of restore) undo();
  };
}

/** A proxy has the name, the length and the text of what it stands for. */
function standIn(name: keyof typeof natives, ends: (args: unknown[]) => boolean, before: () => () => void): () => void {
  const native = natives[name];
  const property = Object.getOwnPropertyDescriptor(process, name);
  if (typeof native !== 'function' || !property?.configurable || !property.writable) return () => {};
  const proxy = new Proxy(native, {
    apply(_, self, args) {
      let after = () => {};
      guarded(() => {
        if (ends(args)) after = before();
      })();
      const result = Reflect.apply(native, self, args);
      guarded(after)();
      return result;
    },
  });
  Object.defineProperty(process, name, { ...property, value: proxy });
  return () => {
    if (natives[name] === proxy) Object.defineProperty(process, name, property);
  };
}

/** Whether a signal goes to this process or its group, and nobody here listens to it. */
function endsItself(pid: number, signal: number): boolean {
  if (!(signal > 0) || !(pid === process.pid || pid === 0 || pid === -1)) return false;
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return name === undefined || process.listenerCount(name) === 0;
}
