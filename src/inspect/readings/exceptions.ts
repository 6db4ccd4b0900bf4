import type { ExceptionGroup, ExceptionsReply } from '../../protocol/exceptions.ts';
import type { Frame } from '../../protocol/replies.ts';
import { maskText } from '../../secrets/text.ts';
import { filePath } from '../../source-maps/frames.ts';
import { askMainThread, silenceMs } from '../ask.ts';
import type { ErrorCounter, ThrownKind } from '../error-counter.ts';
import { evaluateProbe, type LoadModule } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import { SourceMaps } from '../source-maps.ts';
import type { Readings, Subject } from '../subject.ts';

/** Exceptions that are paused at: each stops the main thread for about a millisecond. */
const pausesLimit = 100;
const framesShown = 20;
const messageLength = 300;

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string;
    readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
  }[];
  readonly reason: string;
  readonly data?: { readonly className?: string; readonly type?: string; readonly description?: string };
}

/** `exceptions`: what the agent's counter has kept, and with `caught` what is thrown while it looks, each resumed at once. */
export const readExceptions: Readings['exceptions'] = async (subject, { caught, window }) => {
  const { value, stuck } = await askMainThread(
    subject,
    async (inspector) => {
      const kept = await evaluateProbe(inspector, keptProbe, null);
      return { kept, watched: caught ? await watchThrown(inspector, window) : null };
    },
    silenceMs + (caught ? window : 0),
  );
  if (!value) {
    const notes = ['exceptions cannot be known while the main thread does not answer'];
    return { data: { since: null, groups: [], watched: null }, stuck, notes };
  }
  const { kept, watched } = value;
  const groups = [...(kept?.kinds ?? []).map(ofKept), ...(watched?.groups ?? [])];
  const notes = kept
    ? []
    : ['uncaught exceptions are not kept: no agent runs in the process, or the app removed its listener'];
  const data: ExceptionsReply = {
    since: kept?.since ?? null,
    groups: await asWritten(
      subject,
      groups.sort((a, b) => Date.parse(b.lastAt) - Date.parse(a.lastAt)),
    ),
    watched: watched && { windowMs: watched.windowMs, seen: watched.seen, pausedMs: watched.pausedMs },
  };
  return { data, stuck: null, notes };
};

/** Runs in the target. See evaluate.ts for its limits. */
function keptProbe(_: null, load: LoadModule): { since: string; kinds: ThrownKind[] } | null {
  const counters = load('process') as Record<symbol, ErrorCounter | undefined>;
  const counter = counters[Symbol.for('nodeops.errors')];
  const since = counter?.read()?.since;
  return since === undefined ? null : { since, kinds: counter?.kinds?.() ?? [] };
}

function ofKept({ origin, name, message, stack, count, firstAt, lastAt }: ThrownKind): ExceptionGroup {
  return { origin, name, message: shortened(message), frames: framesOf(stack), count, firstAt, lastAt };
}

function shortened(message: string): string {
  return maskText(message.split('\n', 1)[0]!).slice(0, messageLength);
}

/** Frames of a stack as V8 writes it. */
function framesOf(stack: string): Frame[] {
  return stack
    .split('\n')
    .flatMap((line): Frame[] => {
      const [, name = '(anonymous)', file, row, column] = /^\s+at (?:(.+?) \()?(.+?):(\d+):(\d+)\)?$/.exec(line) ?? [];
      if (file === undefined) return [];
      return [
        { function: name, file: filePath(file.replace(/^async /, '')), line: Number(row), column: Number(column) },
      ];
    })
    .slice(0, framesShown);
}

async function watchThrown(
  inspector: Inspector,
  windowMs: number,
): Promise<{ windowMs: number; seen: number; pausedMs: number; groups: ExceptionGroup[] }> {
  const groups = new Map<string, ExceptionGroup>();
  let seen = 0;
  let pausedMs = 0;
  let enough: () => void = () => {};
  const startedAt = performance.now();
  // all that there are are told when the domain is enabled
  const urls = new Map<string, string>();
  const stopParsed = inspector.on('Debugger.scriptParsed', ({ scriptId, url }: { scriptId: string; url: string }) => {
    urls.set(scriptId, url);
  });
  const stop = inspector.on('Debugger.paused', (paused: Paused) => {
    const at = performance.now();
    const resumed = inspector.post('Debugger.resume');
    resumed.then(
      () => {
        pausedMs += performance.now() - at;
      },
      () => {},
    );
    if (paused.reason !== 'exception' && paused.reason !== 'promiseRejection') return;
    seen++;
    count(groups, paused, urls);
    if (seen >= pausesLimit) enough();
  });
  try {
    await inspector.post('Debugger.enable', { maxScriptsCacheSize: 0 });
    await inspector.post('Debugger.setPauseOnExceptions', { state: 'all' });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, windowMs);
      enough = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  } finally {
    // whatever is paused runs on when the domain is disabled
    inspector.post('Debugger.setPauseOnExceptions', { state: 'none' }).catch(() => {});
    await inspector.post('Debugger.disable').catch(() => {});
    stop();
    stopParsed();
  }
  return { windowMs: performance.now() - startedAt, seen, pausedMs, groups: [...groups.values()] };
}

function count(
  groups: Map<string, ExceptionGroup>,
  { callFrames, data }: Paused,
  urls: ReadonlyMap<string, string>,
): void {
  const frames = callFrames.slice(0, framesShown).map(({ functionName, location }) => ({
    function: functionName || '(anonymous)',
    file: filePath(urls.get(location.scriptId) ?? '') || '(no file)',
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  }));
  const name = data?.className ?? data?.type ?? 'exception';
  const at = new Date().toISOString();
  const key = `${name} ${JSON.stringify(frames)}`;
  const group = groups.get(key) ?? { origin: 'thrown', name, message: '', frames, count: 0, firstAt: at, lastAt: at };
  group.count++;
  group.lastAt = at;
  group.message = shortened((data?.description ?? '').replace(/^[\w$.]+: /, ''));
  groups.set(key, group);
}

async function asWritten({ procDir }: Subject, groups: ExceptionGroup[]): Promise<ExceptionGroup[]> {
  const maps = new SourceMaps(process.platform === 'linux' ? `${procDir}/root` : '');
  return Promise.all(
    groups.map(async (group) => ({
      ...group,
      frames: await Promise.all(group.frames.map((frame) => maps.original(frame))),
    })),
  );
}
