/** Which checks are made of a process: the standard ones, those of flags and file, and what the file says of its container. */
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Check, type CheckName, checkNames, checks } from './checks.ts';
import { type Limit, parseLimit, takes } from './limit.ts';

/** Limits by check; null turns one off. */
export type Limits = ReadonlyMap<CheckName, Limit | null>;

/** What a checks file says. */
export interface ChecksFile {
  readonly defaults: boolean;
  readonly checks: Limits;
  readonly workloads: ReadonlyMap<string, Limits>;
  readonly containers: ReadonlyMap<string, Limits>;
}

export interface Assertion {
  readonly name: CheckName;
  readonly limit: Limit;
  /** Whether somebody asked for it: then a process that has nothing of the kind is not passed over. */
  readonly asked: boolean;
}

export interface Plan {
  /** The checks of a process, in the order of the table. */
  of(process: { readonly workload: string | null; readonly container: string | null }): Assertion[];
  /** Whether any process may have this check. */
  includes(name: CheckName): boolean;
  /** Names in the file that none of these processes has: likely a slip. */
  unused(processes: readonly { readonly workload: string | null; readonly container: string | null }[]): string[];
}

/** The limits that were typed as flags. Throws `usage`. */
export function flagLimits(flags: Readonly<Record<CheckName, string | undefined>>): Limits {
  const given = checkNames.flatMap((name) => {
    const text = flags[name];
    return text === undefined ? [] : [[name, parseFlagLimit(name, text)] as const];
  });
  return new Map(given);
}

function parseFlagLimit(name: CheckName, text: string): Limit | null {
  if (text === 'off') return null;
  const limit = parseLimit(checks[name].kind, text);
  if (limit) return limit;
  throw new NodeopsError('usage', `--${name} is '${text.slice(0, 40)}'; it takes ${takes[checks[name].kind]}, or off`);
}

function standardLimits(): Limits {
  const standard = checkNames.flatMap((name) => {
    const { kind, standard: text }: Check = checks[name];
    return text === undefined ? [] : [[name, parseLimit(kind, text)!] as const];
  });
  return new Map(standard);
}

/** Later ones win: standard, the file's general ones, flags, the file's for the workload, the file's for the container. */
export function makePlan(flags: Limits, file: ChecksFile | undefined, useDefaults: boolean): Plan {
  const standard = useDefaults && file?.defaults !== false ? standardLimits() : new Map<CheckName, Limit>();
  const own: Limits[] = [...(file?.workloads.values() ?? []), ...(file?.containers.values() ?? [])];
  return {
    of({ workload, container }) {
      const asked = [
        file?.checks,
        flags,
        workload === null ? undefined : file?.workloads.get(workload),
        container === null ? undefined : file?.containers.get(container),
      ];
      return checkNames.flatMap((name) => {
        const last = asked.findLast((limits) => limits?.has(name));
        const limit = last ? last.get(name) : standard.get(name);
        return limit ? [{ name, limit, asked: last !== undefined }] : [];
      });
    },
    includes: (name) => [standard, file?.checks, flags, ...own].some((limits) => limits?.get(name)),
    unused(processes) {
      const missing = (kind: 'workload' | 'container', names: Iterable<string> = []) =>
        [...names].filter((name) => !processes.some((each) => each[kind] === name)).map((name) => `${kind} '${name}'`);
      return [...missing('workload', file?.workloads.keys()), ...missing('container', file?.containers.keys())];
    },
  };
}
