/** `doctor [TARGET]`: from kubeconfig to process, each link looked at; printed as they come, in order. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Parsed } from '../../../protocol/parameters.ts';
import { schema } from '../../../protocol/wire.ts';
import type { Invocation } from '../../cli/command.ts';
import { write } from '../../io.ts';
import { documentText } from '../../render/document.ts';
import { parseTarget, type TargetSpec } from '../../targets/parse.ts';
import type { Check } from './check.ts';
import { type ClusterLinks, examineCluster } from './cluster/cluster.ts';
import { CredentialSecrets } from './credential-secrets.ts';
import { Examination } from './examination.ts';
import type { doctorFlags } from './flags.ts';
import type { Surroundings } from './surroundings.ts';
import { examineAddress, examinePid } from './target/local.ts';
import { examinePod } from './target/pod.ts';
import { examineSelection, type Selection } from './target/selection.ts';
import { checkLines, headingLine, summaryLine, type TextOptions, ticketText } from './text.ts';

export type DoctorInvocation = Omit<Invocation, 'flags'> & { readonly flags: Parsed<typeof doctorFlags> };

/** Returns 0 when nothing failed, else 1. Throws `usage`, and `interrupted`. */
export async function runDoctor({ args, flags, kube, io }: DoctorInvocation): Promise<number> {
  const { spec, selector } = parse(args, flags.selector);
  const secrets = new CredentialSecrets();
  secrets.addOptions(kube);
  const around: Surroundings = { kube, io, secrets, pluginVersion: process.env.NODEOPS_VERSION };
  const printer = new Printer(around, flags.output);
  const examination = (subject: string | null) => new Examination(subject, io.signal, secrets.text);

  if (spec?.kind === 'pid' || spec?.kind === 'address') {
    const exam = examination(args[0]!);
    if (spec.kind === 'pid') examinePid(exam, spec.pid, around);
    else examineAddress(exam, spec.host, spec.port, around);
    await printer.print(exam);
    return printer.end();
  }
  const cluster = examination(null);
  const links = examineCluster(cluster, around);
  const names = spec?.kind === 'pod' ? undefined : selectionOf(args[0], spec, selector);
  const choice = { container: flags.container, pid: flags.pid, port: flags.port };
  const onPod = (ref: { namespace: string; name: string } | string, each: ClusterLinks) => {
    const name = typeof ref === 'string' ? ref : ref.name;
    const exam = examination(`pod/${name}`);
    return {
      exam,
      start: (namespace: string) => examinePod(exam, each, { ...choice, ref: { namespace, name } }, around),
    };
  };
  await printer.print(cluster);
  if (spec?.kind === 'pod') {
    const { exam, start } = onPod(spec.name, links);
    start(await namespaceOf(links));
    await printer.print(exam);
  } else if (names) {
    const exam = examination(names.said);
    const pods = examineSelection(exam, links, names);
    await printer.print(exam);
    const started = ((await pods.settled).value ?? []).map((ref) => {
      const { exam: each, start } = onPod(ref, links);
      start(ref.namespace);
      return each;
    });
    for (const each of started) await printer.print(each);
  }
  await (await links.api.settled).value?.close();
  return printer.end();
}

function parse(args: readonly string[], selector: string | undefined): { spec?: TargetSpec; selector?: string } {
  const [target, ...more] = args;
  if (more.length > 0 || (target !== undefined && selector !== undefined))
    throw new NodeopsError('usage', 'doctor looks at one target, or at one selection with -l');
  if (selector !== undefined) return { selector };
  return target === undefined ? {} : { spec: parseTarget(target) };
}

function selectionOf(said = '', spec: TargetSpec | undefined, selector: string | undefined): Selection | undefined {
  if (spec?.kind === 'workload') return { said, workload: spec };
  return selector === undefined ? undefined : { said: `-l ${selector}`, selector };
}

async function namespaceOf({ api }: ClusterLinks): Promise<string> {
  return (await api.settled).value?.connection.namespace ?? 'default';
}

class Printer {
  readonly #checks: Check[] = [];
  readonly #around: Surroundings;
  readonly #format: 'json' | 'yaml' | 'md' | undefined;
  readonly #options: TextOptions;

  constructor(around: Surroundings, format: string | undefined) {
    const { stdout, env } = around.io;
    this.#around = around;
    this.#format = format === 'json' || format === 'yaml' || format === 'md' ? format : undefined;
    this.#options = { columns: stdout.columns, colour: stdout.isTTY === true && !env.NO_COLOR };
  }

  /** Prints each check as soon as it and those before it are known. */
  async print({ subject, checks }: Examination): Promise<void> {
    if (!this.#format) {
      const title = headingLine(subject ?? 'cluster', this.#options);
      await this.#write([...(this.#checks.length > 0 ? [''] : []), title]);
    }
    for (const each of checks) {
      const check = await each;
      this.#checks.push(check);
      if (!this.#format) await this.#write(checkLines(check, this.#options));
    }
  }

  /** Returns the exit code. */
  async end(): Promise<number> {
    const { io, pluginVersion, secrets } = this.#around;
    const failed = this.#checks.some(({ status }) => status === 'fail');
    if (this.#format) {
      const plugin = {
        version: pluginVersion ?? null,
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
      };
      const report = {
        schema,
        operation: 'doctor',
        at: io.now().toISOString(),
        ok: !failed,
        plugin,
        checks: this.#checks,
      };
      const text = this.#format === 'md' ? ticketText(report) : await documentText(this.#format, report);
      await write(io.stdout, secrets.text(text));
    } else await this.#write(['', summaryLine(this.#checks)]);
    return failed ? 1 : 0;
  }

  async #write(lines: readonly string[]): Promise<void> {
    const text = lines.map((line) => `${line}\n`).join('');
    await write(this.#around.io.stdout, this.#around.secrets.text(text));
  }
}
