import type { Parsed } from '../../protocol/parameters.ts';
import type { Io } from '../io.ts';
import type { KubeOptions } from '../transport/kube/options.ts';
import type { FlagSet } from './flags.ts';

/** What was typed, parsed and checked, as a plain value. */
export interface Invocation<F extends FlagSet = FlagSet> {
  readonly args: readonly string[];
  readonly flags: Parsed<F>;
  readonly kube: KubeOptions;
  readonly io: Io;
}

/** One command: its declaration as data, plus what it does. Help, completion and docs are rendered from the declaration. */
export interface Command<F extends FlagSet = FlagSet> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Positional arguments as help shows them, such as `[TARGET...]`. */
  readonly usage: string;
  readonly flags: F;
  /** Lines shown under "Examples", without the program's name. */
  readonly examples?: readonly string[];
  /** Left out of the list of commands. */
  readonly hidden?: boolean;
  /** Returns the exit code, 0 when nothing is returned. Failures are thrown as NodeopsError. */
  run(invocation: Invocation<F>): Promise<number | undefined>;
}

/** Keeps the flags' types while giving a Command that fits the table. */
export function command<const F extends FlagSet>(declaration: Command<F>): Command {
  return declaration as unknown as Command;
}
