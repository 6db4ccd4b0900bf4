/**
 * The main thread's part: writes a record when an exception ends the process, or it exits with a code other than 0. It only
 * watches: what it hears of exceptions comes from who counts them, which changes neither output nor exit code.
 */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { countErrors } from '../../inspect/error-counter.ts';
import { ownHeapLimit } from '../../inspect/heap-limit.ts';
import type { CrashRecord } from '../../protocol/crash.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Recording } from '../recorder/recording.ts';
import type { KeptSettings } from '../settings/kept-settings.ts';
import { removeBox } from './box.ts';
import { Kept } from './kept.ts';
import { crashRecord, describeError, lastMinutes, recordName } from './record.ts';

/** An app that lives on after its exceptions is not held up by each. */
const handledEveryMs = 60_000;
/** What fails sooner is a tool, or says so in its log. */
const livedMs = 10_000;

interface Witnessed {
  readonly info: ProcessInfo;
  readonly recording: Recording | undefined;
  readonly stallMs: number;
  /** Has the worker write a record, for a volume may hang; false where there is none. Waits for it where the process ends. */
  give(record: LastRecord): boolean;
}

/** A record, and whether it is the last there will be. */
export interface LastRecord {
  readonly name: string;
  readonly text: string;
  readonly fatal: boolean;
}

export interface Witness {
  /** What is to be kept of a process that exits with that code; undefined for an end that says enough. */
  last(code: number): LastRecord | undefined;
  /** Where no worker does it: removes the box, and keeps that. */
  finish(last: LastRecord | undefined): void;
  stop(): void;
}

export function watchForCrashes(settings: KeptSettings, { info, recording, stallMs, give }: Witnessed): Witness {
  let handledAt = Number.NEGATIVE_INFINITY;
  let fatal = false;

  const describe = (kind: CrashRecord['kind'], summary: string, parts: Partial<CrashRecord>): LastRecord => {
    const history = lastMinutes(recording, stallMs);
    const record = crashRecord(info, kind, summary, { memory: heap(), resources: resources(), history, ...parts });
    return { name: recordName(kind, info.pid), text: JSON.stringify(record), fatal: kind === 'exit' || !parts.handled };
  };
  const write = ({ name, text }: LastRecord): void => new Kept(settings).write(name, text);

  const thrown = (error: unknown, origin: string): void => {
    try {
      const handled = process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback();
      if (handled && performance.now() - handledAt < handledEveryMs) return;
      if (handled) handledAt = performance.now();
      else fatal = true;
      const kind = origin === 'unhandledRejection' ? 'unhandled-rejection' : 'uncaught-exception';
      const described = describeError(error);
      const what =
        kind === 'unhandled-rejection' ? 'a promise was rejected and not handled' : 'an exception was not caught';
      const summary = `${what}: ${described.name}: ${firstLine(described.message)}`;
      const record = describe(kind, summary, { error: described, handled });
      if (!give(record)) write(record);
    } catch {
      // no room, no rights: the app ends as it would have
    }
  };

  const hearers = countErrors()?.hearers;
  hearers?.add(thrown);
  return {
    last(code) {
      if (code === 0 || fatal || process.uptime() * 1000 < livedMs) return undefined;
      return describe('exit', `the process exited with code ${code}`, { exitCode: code });
    },
    finish(last) {
      try {
        removeBox(settings);
      } finally {
        if (last) write(last);
      }
    },
    stop: () => void hearers?.delete(thrown),
  };
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

/** Not Node's report: it asks every worker thread, and waits for those in native code without end. */
function heap(): CrashRecord['memory'] {
  const { arrayBuffers, external } = process.memoryUsage();
  const figures = getHeapStatistics();
  return {
    heap: {
      totalBytes: figures.total_heap_size,
      usedBytes: figures.used_heap_size,
      limitBytes: ownHeapLimit(),
      physicalBytes: figures.total_physical_size,
      // shared buffers are among the second only
      externalBytes: Math.max(external, arrayBuffers),
      arrayBuffersBytes: arrayBuffers,
      mallocedBytes: figures.malloced_memory,
      peakMallocedBytes: figures.peak_malloced_memory,
      nativeContexts: figures.number_of_native_contexts,
      detachedContexts: figures.number_of_detached_contexts,
    },
    spaces: getHeapSpaceStatistics().map((space) => ({
      name: space.space_name,
      sizeBytes: space.space_size,
      usedBytes: space.space_used_size,
      availableBytes: space.space_available_size,
      physicalBytes: space.physical_space_size,
    })),
  };
}

function resources(): Record<string, number> {
  const byType: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) byType[type] = (byType[type] ?? 0) + 1;
  return byType;
}
