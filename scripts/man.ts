/** kubectl-nodeops(1), written from the commands' own declarations. */
import type { Option } from 'commander';
import type { Command } from '../src/plugin/cli/command.ts';
import { toOption } from '../src/plugin/cli/flags.ts';
import { kubeOptions } from '../src/plugin/cli/program.ts';
import { commands } from '../src/plugin/commands/index.ts';

export interface ManOptions {
  readonly version: string;
  readonly date: Date;
  /** docs/errors.md: the exit codes are its first table. */
  readonly errors: string;
}

export const manName = 'kubectl-nodeops.1';

export function manPage({ version, date, errors }: ManOptions): string {
  const lines = [
    `.TH KUBECTL\\-NODEOPS 1 ${date.toISOString().slice(0, 10)} "nodeops ${version}" "User Commands"`,
    '.ad l',
    '.SH NAME',
    'kubectl\\-nodeops, nodeops \\- look into the Node.js processes of pods',
    '.SH SYNOPSIS',
    '.B kubectl nodeops',
    '.I COMMAND',
    '[\\fITARGET\\fR] [\\fIflags\\fR]',
    '.SH DESCRIPTION',
    text('Looks into Node.js processes while they are slow, leaking or stuck, and brings their profiles home.'),
    text(
      'A target is pod/NAME or NAME, deploy/NAME and other workloads, a selection (-l SELECTOR, -A), a local PID, or HOST:PORT.',
    ),
    '.SH COMMANDS',
    ...commands.filter(({ hidden }) => !hidden).flatMap(commandLines),
    '.SH CONNECTION FLAGS',
    text("kubectl's own, taken by every command."),
    ...kubeOptions().flatMap(optionLines),
    '.SH EXIT STATUS',
    ...exitCodes(errors).flatMap(([code, meaning]) => ['.TP', `.B ${code}`, text(meaning)]),
    '.SH SEE ALSO',
    '.BR kubectl (1),',
    text('kubectl nodeops help TOPIC: errors, configuration, security, triggers, and a page for each command.'),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines({ name, usage, summary, flags, examples = [] }: Command): string[] {
  return [
    `.SS ${text(`${name} ${usage}`.trimEnd())}`,
    text(`${summary}.`),
    ...Object.entries(flags).flatMap(([flag, declared]) => optionLines(toOption(flag, declared))),
    ...(examples.length > 0 ? ['.PP', 'Examples:', '.PP', '.nf', '.RS'] : []),
    ...examples.map((example) => text(`kubectl nodeops ${example}`)),
    ...(examples.length > 0 ? ['.RE', '.fi'] : []),
  ];
}

function optionLines({ flags, description }: Option): string[] {
  return ['.TP', `.B ${text(flags)}`, text(description)];
}

function exitCodes(errors: string): [code: string, meaning: string][] {
  return [...errors.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
    code!,
    meaning!.replaceAll('`', ''),
  ]);
}

/** A line of roff: backslashes and hyphens are themselves, and none is a request. */
function text(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^[.']/, (mark) => `\\&${mark}`);
}
