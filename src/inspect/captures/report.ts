import { readKernel } from '../../proc/files.ts';
import { readNativeEvidence } from '../../proc/native.ts';
import type { CaptureParameters } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { NativeEvidence } from '../../protocol/replies.ts';
import { maskCommandLine, maskEnvironment } from '../../secrets/process.ts';
import { maskText } from '../../secrets/text.ts';
import { within } from '../ask.ts';
import { evaluateProbe } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';
import { attachWorkers } from '../workers.ts';
import type { ArtifactSink, CaptureControl } from './capture.ts';
import { reportProbe } from './probes.ts';

/** How long the process may take to write its report. */
const reportMs = 10_000;
/** Silence after which a thread counts as stuck. */
const silenceMs = 1_500;

/**
 * Node's diagnostic report, secrets masked, peers of sockets not looked up. When the main thread is stuck in native code,
 * the artifact is what the kernel shows instead, and a note says so.
 */
export async function captureReport(
  subject: Subject,
  _parameters: CaptureParameters<'report'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  const since = Date.now();
  control.phase('writing the report');
  let text: string;
  try {
    const inspector = await subject.inspector();
    await inspector.post('Runtime.evaluate', { expression: '0' }, { timeoutMs: silenceMs });
    await refuseStuckWorkers(inspector, subject.ownThreadId);
    text = await evaluateProbe(withPatience(inspector), reportProbe, {});
  } catch (error) {
    if (!(error instanceof NodeopsError) || error.code !== 'stuck') throw error;
    const evidence = await readNativeEvidence(subject, since);
    control.note(`${evidence.summary}: Node cannot write its report there, so this is what the kernel shows`);
    return sink.write(`${JSON.stringify(await kernelReport(subject, evidence), undefined, 2)}\n`);
  }
  if (text === '') throw new NodeopsError('unsupported', 'this Node.js was built without diagnostic reports');
  await sink.write(`${JSON.stringify(maskReport(JSON.parse(text) as Report), undefined, 2)}\n`);
}

function withPatience(inspector: Inspector): Inspector {
  return {
    post: (method, params) => inspector.post(method, params, { timeoutMs: reportMs }),
    on: (method, listener) => inspector.on(method, listener),
    close: () => inspector.close(),
  };
}

interface Report {
  environmentVariables?: Record<string, string>;
  header?: { commandLine?: string[] };
  workers?: Report[];
}

/** Every text of a report without what looks like a secret: messages and URLs hold them as well. */
export function maskReport(report: Report): Report {
  const copy = JSON.parse(JSON.stringify(report), (_, value: unknown) =>
    typeof value === 'string' ? maskText(value) : value,
  ) as Report;
  const mask = (into: Report, from: Report): void => {
    if (from.environmentVariables) into.environmentVariables = maskEnvironment(from.environmentVariables);
    if (from.header?.commandLine) into.header!.commandLine = maskCommandLine(from.header.commandLine);
    from.workers?.forEach((worker, index) => {
      mask(into.workers![index]!, worker);
    });
  };
  mask(copy, report);
  return copy;
}

/**
 * Node asks each worker thread for its part and lets the main thread wait until all have answered, without end: one that
 * is in native code would take the main thread with it.
 */
async function refuseStuckWorkers(inspector: Inspector, own: number | undefined): Promise<void> {
  const workers = await attachWorkers(inspector, own);
  await Promise.all(
    workers.map(({ threadId, inspector: line }) =>
      within(silenceMs, line.post('Runtime.evaluate', { expression: '0' })).catch(() => {
        throw new NodeopsError(
          'refused',
          `worker thread ${threadId} is in native code, and a report would make the main thread wait for it`,
          { hint: '`stack` shows what each thread does' },
        );
      }),
    ),
  );
}

async function kernelReport(subject: Subject, evidence: NativeEvidence): Promise<object> {
  const names = ['status', 'limits', 'stat', 'io', 'sched'];
  const [cmdline, environ, ...files] = await Promise.all(
    ['cmdline', 'environ', ...names].map((name) => readKernel(`${subject.procDir}/${name}`)),
  );
  const variables = (environ ?? '').split('\0').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
  });
  return {
    nodeops: { stuck: evidence, pid: subject.pid, at: new Date().toISOString() },
    header: { commandLine: maskCommandLine((cmdline ?? '').split('\0').filter(Boolean)) },
    environmentVariables: maskEnvironment(Object.fromEntries(variables)),
    kernel: Object.fromEntries(names.map((name, index) => [name, files[index] ?? null])),
  };
}
