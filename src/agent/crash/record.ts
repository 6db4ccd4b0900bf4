/** The parts that every crash record has. */
import { hostname } from 'node:os';
import { types } from 'node:util';
import { type CrashError, type CrashKind, type CrashRecord, crashSchema } from '../../protocol/crash.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { maskCommandLine } from '../../secrets/process.ts';
import { maskText } from '../../secrets/text.ts';
import { takeHistory } from '../recorder/history.ts';
import type { Recording } from '../recorder/recording.ts';
import type { StallStack } from '../recorder/stacks.ts';

const textLength = 16 * 1024;
/** Of all that was thrown together: it is masked while the app ends, or goes on after an exception that it handles. */
const textsLength = 32 * 1024;
/** A text longer than this is not read at all. */
const untouchedLength = 1024 * 1024;
/** Of what was thrown: errors that it names, and that those name. */
const causesKept = 8;

/** What a record of this process begins with. */
export function crashRecord(
  info: ProcessInfo,
  kind: CrashKind,
  summary: string,
  parts: Partial<CrashRecord> = {},
): CrashRecord {
  const { container, pid, name, command, nodeVersion, agentVersion, startedAt } = info;
  return {
    schema: crashSchema,
    kind,
    at: new Date().toISOString(),
    summary,
    process: {
      host: hostname(),
      ...{ container, pid, name, nodeVersion, agentVersion, startedAt },
      command: maskCommandLine(command.split(' ')).join(' '),
    },
    error: null,
    handled: false,
    exitCode: null,
    memory: null,
    resources: null,
    stacks: null,
    history: null,
    heapProfile: null,
    ...parts,
  };
}

/** The last quarter of an hour; null where there is no recording. Never throws. */
export function lastMinutes(
  recording: Recording | undefined,
  stallMs: number,
  { points = 900, stacks = new Map() }: { points?: number; stacks?: ReadonlyMap<number, StallStack> } = {},
): CrashRecord['history'] {
  try {
    return recording ? takeHistory(recording, stacks, { since: 900_000, points, stallMs }) : null;
  } catch {
    return null;
  }
}

/** What was thrown, whatever it is, and what that came of. Never throws. */
export function describeError(thrown: unknown): NonNullable<CrashRecord['error']> {
  const seen = new Set([thrown]);
  // a set is gone through to what is added meanwhile
  for (const each of seen) for (const cause of causesOf(each)) if (seen.size <= causesKept) seen.add(cause);
  const budget = { left: textsLength };
  const [first, ...causes] = [...seen].map((each) => describeOne(each, budget));
  return { ...first!, ...(causes.length > 0 ? { causes } : {}) };
}

/**
 * A property without running code that the thrown object brings with it: no proxy, and no getter of its own but V8's for `stack`. Getters of its
 * class are read, as those of ZodError for `message`.
 */
function plainly(thrown: object, key: string): unknown {
  if (types.isProxy(thrown)) return undefined;
  const own = Object.getOwnPropertyDescriptor(thrown, key);
  if (own?.get && !(key === 'stack' && types.isNativeError(thrown))) return undefined;
  return (thrown as Record<string, unknown>)[key];
}

function causesOf(thrown: unknown): unknown[] {
  try {
    if (typeof thrown !== 'object' || thrown === null) return [];
    const [cause, errors] = [plainly(thrown, 'cause'), plainly(thrown, 'errors')];
    return [...(cause == null ? [] : [cause]), ...(Array.isArray(errors) ? errors.slice(0, causesKept) : [])];
  } catch {
    return [];
  }
}

function describeOne(thrown: unknown, budget: { left: number }): CrashError {
  const cut = (text: string): string => {
    // even to look at its beginning V8 may have to put it together first
    if (text.length > untouchedLength) return `(${text.length} characters)`;
    const kept = text.slice(0, Math.min(textLength, budget.left));
    budget.left -= kept.length;
    return maskText(kept);
  };
  const read = (key: 'name' | 'message' | 'stack' | 'code'): string => {
    try {
      const value = plainly(thrown as object, key);
      // what is no string is turned into one by the app's own code, and may be of any size
      return value === undefined
        ? ''
        : cut(typeof value === 'string' ? value : typeof value === 'number' ? `${value}` : '');
    } catch {
      return '';
    }
  };
  if (typeof thrown === 'object' && thrown !== null) {
    return {
      name: read('name') || 'Object',
      message: read('message'),
      stack: read('stack'),
      code: read('code') || null,
    };
  }
  const name = thrown === null ? 'null' : typeof thrown;
  return { name, message: cut(String(thrown)), stack: '', code: null };
}

/** `crash/20261122T231500.123Z-KIND-PID.json`: names sort by time. */
export function recordName(kind: CrashKind, pid: number, at = new Date()): string {
  return `crash/${at.toISOString().replaceAll(/[-:]/g, '')}-${kind}-${pid}.json`;
}
