/** What can be typed next. Pure but for the lookup of names in the cluster, which is handed in. */
import type { Command } from '../../cli/command.ts';
import { kubeFlags } from '../../transport/kube/options.ts';

export interface Candidate {
  readonly value: string;
  readonly description?: string;
}

/** Names that only the cluster knows; each gives an empty list when it cannot be asked in time. */
export interface Names {
  pods(): Promise<Candidate[]>;
  namespaces(): Promise<Candidate[]>;
  containers(pod: string): Promise<Candidate[]>;
  processes(pod: string): Promise<Candidate[]>;
}

interface Flag {
  readonly long: string;
  readonly short?: string | undefined;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly choices?: readonly string[];
}

/**
 * Candidates for the last of `words`, which may be empty. `words` are what follows the program's name.
 * Without a command the commands; after `-` the flags; after a flag that takes one its values; else targets.
 */
export async function complete(
  words: readonly string[],
  commands: readonly Command[],
  names: Names,
): Promise<Candidate[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = findCommand(before, commands);
  const flags = flagsOf(command);
  const inline = /^(--[\w-]+)=(.*)$/.exec(current);
  const pending = inline ? findFlag(flags, inline[1]!) : findFlag(flags, before.at(-1));
  if (pending?.takesValue) {
    const values = await valuesOf(pending, before, flags, names);
    return startingWith(
      inline ? values.map((value) => ({ ...value, value: `${inline[1]}=${value.value}` })) : values,
      current,
    );
  }
  if (current.startsWith('-')) {
    const all = flags.map(({ long, summary }) => ({ value: `--${long}`, description: summary }));
    return startingWith(all, current);
  }
  if (!command) {
    const visible = commands.filter(({ hidden }) => !hidden);
    return startingWith(
      visible.map(({ name, summary }) => ({ value: name, description: summary })),
      current,
    );
  }
  if (!command.usage.includes('TARGET')) return [];
  const pods = await names.pods();
  const prefix = current.startsWith('pod/') ? 'pod/' : '';
  return startingWith(
    pods.map((pod) => ({ ...pod, value: `${prefix}${pod.value}` })),
    current,
  );
}

function findCommand(words: readonly string[], commands: readonly Command[]): Command | undefined {
  return words
    .map((word) => commands.find(({ name, aliases }) => name === word || aliases?.includes(word)))
    .find(Boolean);
}

function flagsOf(command: Command | undefined): Flag[] {
  const kube = Object.values(kubeFlags).map((flag: (typeof kubeFlags)[keyof typeof kubeFlags]) => ({
    long: flag.flag,
    short: 'short' in flag ? flag.short : undefined,
    summary: flag.summary,
    takesValue: flag.type !== 'boolean',
  }));
  const own = Object.entries(command?.flags ?? {}).map(([long, flag]) => ({
    long,
    short: flag.short,
    summary: flag.summary,
    takesValue: flag.type !== 'boolean',
    ...(flag.type === 'choice' ? { choices: flag.choices } : {}),
  }));
  return [...own, ...kube];
}

function findFlag(flags: readonly Flag[], word: string | undefined): Flag | undefined {
  return flags.find(({ long, short }) => word === `--${long}` || (short !== undefined && word === `-${short}`));
}

async function valuesOf(
  flag: Flag,
  before: readonly string[],
  flags: readonly Flag[],
  names: Names,
): Promise<Candidate[]> {
  if (flag.choices) return flag.choices.map((value) => ({ value }));
  if (flag.long === 'namespace') return names.namespaces();
  if (flag.long !== 'container' && flag.long !== 'pid') return [];
  const pod = podAmong(before, flags);
  if (pod === undefined) return [];
  return flag.long === 'container' ? names.containers(pod) : names.processes(pod);
}

/** The first target typed: the second word that is neither a flag nor a flag's value. */
function podAmong(words: readonly string[], flags: readonly Flag[]): string | undefined {
  const plain = words.filter((word, index) => {
    const previous = findFlag(flags, words[index - 1]);
    return !word.startsWith('-') && !previous?.takesValue;
  });
  return plain[1]?.replace(/^(pods?|po)\//, '');
}

function startingWith(candidates: readonly Candidate[], prefix: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(prefix));
}
