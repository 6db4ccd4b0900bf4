import { Command as Commander, CommanderError, Option } from 'commander';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Io } from '../io.ts';
import { type KubeOptions, kubeFlags } from '../transport/kube/options.ts';
import type { Command } from './command.ts';
import { BooleanOption, toOption } from './flags.ts';

/** Parses argv and runs the command it names. Returns the exit code. */
export async function runProgram(argv: readonly string[], commands: readonly Command[], io: Io): Promise<number> {
  let exitCode: number | undefined;
  const run: Run = async (command, args, flags, kube) => {
    exitCode = await command.run({ args, flags, kube, io });
  };
  const program = buildProgram(commands, argv, io, run);
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : (argv as string[]), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw usageError(error, io);
  }
  return exitCode ?? 0;
}

type Run = (command: Command, args: string[], flags: Record<string, never>, kube: KubeOptions) => Promise<void>;

/** The commander program of a table of commands. Those that argv does not name stay without their flags: most of a start is theirs. */
function buildProgram(commands: readonly Command[], argv: readonly string[], io: Io, run: Run): Commander {
  const program = new Commander(io.program)
    .description('Look into the Node.js processes of your pods, and bring their profiles home')
    .usage('COMMAND [TARGET] [flags]')
    .version(process.env.NODEOPS_VERSION!, '--version', 'print the version of this plugin')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .configureHelp({
      subcommandTerm: (command) => `${command.name()} ${command.usage().replace(/ ?\[flags\]$/, '')}`.trimEnd(),
      visibleArguments: () => [],
    })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getOutHasColors: () => false,
    });
  for (const option of kubeOptions()) program.addOption(option.hideHelp());
  for (const command of commands) {
    const built = build(command, program, run);
    if ([command.name, ...(command.aliases ?? [])].some((name) => argv.includes(name)))
      describe(command, built, program);
    program.addCommand(built, { hidden: command.hidden ?? false });
  }
  program.addHelpText(
    'after',
    [
      '',
      'Targets: PID | HOST:PORT | [KIND/]NAME [-n NAMESPACE] [-c CONTAINER] | -l SELECTOR',
      `Connection flags are kubectl's own: ${io.program} options`,
      '',
    ].join('\n'),
  );
  return program;
}

function build(command: Command, program: Commander, run: Run): Commander {
  const built = new Commander(command.name)
    .copyInheritedSettings(program)
    .summary(command.summary)
    .description(command.summary)
    .aliases([...(command.aliases ?? [])])
    .usage(`${command.usage} [flags]`)
    .argument('[args...]');
  built.action(async (args: string[]) => {
    await run(command, args, readFlags(command, built), program.opts() as KubeOptions);
  });
  return built;
}

/** The flags and examples of the command that is run. */
function describe(command: Command, built: Commander, program: Commander): void {
  for (const [name, flag] of Object.entries(command.flags)) built.addOption(toOption(name, flag));
  if (command.examples?.length)
    built.addHelpText(
      'after',
      `\nExamples:\n${command.examples.map((example) => `  ${program.name()} ${example}`).join('\n')}`,
    );
}

/** Commander names options in camel case; the declaration's own names are what commands read. */
function readFlags(command: Command, built: Commander): Record<string, never> {
  const camel = (name: string) => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(
    Object.entries(command.flags).map(([name, flag]) => [
      name,
      // commander keeps --no-x as the absence of x
      (name.startsWith('no-')
        ? built.getOptionValue(camel(name.slice('no-'.length))) === false
        : (built.getOptionValue(camel(name)) ?? flag.default)) as never,
    ]),
  );
}

/** kubectl's connection flags as commander takes them. */
export function kubeOptions(): Option[] {
  return Object.values(kubeFlags).map((flag: (typeof kubeFlags)[keyof typeof kubeFlags]) => {
    const short = 'short' in flag ? `-${flag.short}, ` : '';
    if (flag.type === 'boolean') return new BooleanOption(`${short}--${flag.flag}`, flag.summary);
    const option = new Option(`${short}--${flag.flag} <${flag.value}>`, flag.summary);
    return flag.type === 'list' ? option.argParser((text, list: string[] = []) => [...list, text]) : option;
  });
}

function usageError(error: CommanderError, io: Io): NodeopsError {
  const message = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return new NodeopsError('usage', message, { hint: `see: ${io.program} --help` });
}
