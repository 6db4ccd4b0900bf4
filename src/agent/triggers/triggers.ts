/** Evaluates the rules with each second of the recorder, and captures what a rule names when it holds. */
import { readFileSync, statSync } from 'node:fs';
import type { ArtifactSink, CaptureControl } from '../../inspect/captures/capture.ts';
import type { Subject } from '../../inspect/subject.ts';
import { type CaptureName, captures } from '../../protocol/captures.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Kept } from '../crash/kept.ts';
import type { Watch } from '../recorder/watch.ts';
import { mayFire, noteFiring } from './firings.ts';
import { parseRules, type Rule, triggerFigures } from './grammar.ts';
import type { TriggerSettings } from './settings.ts';

/** A ConfigMap that was changed arrives within a minute or so; more often is not needed. */
const readEveryMs = 5_000;
const fileBytes = 64 * 1024;

export interface Triggers {
  second(watch: Watch): void;
  /** What is wrong with the rules, and what became of the last captures. */
  notes(): string[];
}

export function startTriggers(settings: TriggerSettings, kept: Kept | undefined, info: ProcessInfo): Triggers {
  const fixed = parseRules(settings.text ?? '', 'NODEOPS_TRIGGERS');
  let fromFile: ReturnType<typeof parseRules> = { rules: [], errors: [] };
  let version = '';
  let readAt = Number.NEGATIVE_INFINITY;
  let failure: string | undefined;
  let busy = false;
  /** Since when a rule's condition holds, by performance.now. */
  const holds = new Map<string, number>();

  function readFile(path: string): void {
    if (performance.now() - readAt < readEveryMs) return;
    readAt = performance.now();
    try {
      const { mtimeMs, size, ino } = statSync(path);
      if (version === `${mtimeMs} ${size} ${ino}`) return;
      version = `${mtimeMs} ${size} ${ino}`;
      if (size > fileBytes) throw new Error(`it is larger than ${fileBytes} bytes`);
      fromFile = parseRules(readFileSync(path, 'utf8'), path);
    } catch (error) {
      version = '';
      fromFile = { rules: [], errors: [`NODEOPS_TRIGGERS_FILE cannot be read: ${(error as Error).message}`] };
    }
  }

  async function fire(rule: Rule, watch: Watch, store: Kept): Promise<void> {
    busy = true;
    try {
      noteFiring(store, rule);
      const at = new Date().toISOString().replaceAll(/[-:]/g, '');
      const extension = rule.capture === 'stack' ? 'stack.json' : captures[rule.capture].extension;
      const { takeCapture } = await import('./capture.ts');
      const text = await takeCapture(watch.recording, await runner(rule)).text;
      store.write(`triggers/${at}-${rule.figure}-${info.pid}.${extension}`, text);
      failure = undefined;
    } catch (error) {
      failure = `trigger '${rule.text}' held, but its capture failed: ${(error as Error).message}`;
    } finally {
      busy = false;
    }
  }

  if (settings.file) readFile(settings.file);
  return {
    second(watch) {
      if (settings.file) readFile(settings.file);
      for (const rule of [...fixed.rules, ...fromFile.rules]) {
        if (!isTrue(rule, watch)) {
          holds.delete(rule.text);
          continue;
        }
        const since = holds.get(rule.text) ?? performance.now();
        holds.set(rule.text, since);
        if (busy || !kept || performance.now() - since < rule.forMs || !mayFire(kept, rule)) continue;
        void fire(rule, watch, kept);
      }
    },
    notes() {
      const asked = settings.text !== null || settings.file !== null;
      return [
        ...(asked && !kept
          ? ['triggers capture nothing: NODEOPS_ARTIFACTS_DIR names no directory that can be written']
          : []),
        ...fixed.errors,
        ...fromFile.errors,
        ...(failure ? [failure] : []),
      ];
    },
  };
}

type Run = (subject: Subject, sink: ArtifactSink, control: CaptureControl) => Promise<void>;

async function runner({ capture, captureMs }: Rule): Promise<Run> {
  if (capture === 'stack') {
    const { readings } = await import('../../inspect/readings.ts');
    return async (subject, sink) => sink.write(JSON.stringify((await readings.stack(subject, {})).data));
  }
  const { captureRunners } = await import('../../inspect/captures/runners.ts');
  const { parameters } = captures[capture];
  const standard = Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, (parameter as { default?: unknown }).default]),
  );
  const asked = { ...standard, ...('duration' in parameters ? { duration: captureMs } : {}) };
  const run = captureRunners[capture as CaptureName] as unknown as (...parts: unknown[]) => Promise<void>;
  return (subject, sink, control) => run(subject, asked, sink, control);
}

/** False while the figure is not known. */
export function isTrue({ figure, below, value, ofLimit }: Rule, { recording, current }: Watch): boolean {
  const figures = recording.latest()?.mean ?? {};
  const delayMs = current()?.durationMs ?? 0;
  const now: Readonly<Record<typeof figure, number | undefined>> = {
    heapUsed: figures.heapUsedBytes,
    heapTotal: figures.heapTotalBytes,
    external: figures.externalBytes,
    rss: figures.rssBytes,
    cgroupUsed: figures.cgroupUsedBytes,
    cpu: figures.cpuPercent,
    utilization: (figures.utilization ?? Number.NaN) * 100,
    gc: (figures.gcShare ?? Number.NaN) * 100,
    throttled: (figures.throttled ?? Number.NaN) * 100,
    loopDelayP99: Math.max(recording.lateness(0.99) ?? Number.NaN, delayMs),
    loopDelayMax: Math.max(figures.delayMaxMs ?? Number.NaN, delayMs),
    threads: figures.threads,
  };
  const { limit } = triggerFigures[figure];
  const threshold = ofLimit && limit ? value * recording.get(limit) : value;
  const known = now[figure] ?? Number.NaN;
  return below ? known < threshold : known > threshold;
}
