import type { CaptureParameters } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';
import type { ArtifactSink, CaptureControl } from './capture.ts';
import { stillNative } from './cpu-sampling.ts';
import { lapse, patiently, startMs } from './patience.ts';

/** Node hands over its last events after it has said that tracing is complete: this long a silence ends the wait for them. */
const quietMs = 400;
/** The wait for them as a whole; the first may come late from a thread that is in native code. */
const lastEventsMs = 10_000;
/** V8's own categories are not listed by `NodeTracing.getCategories`. */
const ofV8 = /^(?:disabled-by-default-)?v8(?:[.,\w-]*)$/;

/**
 * Trace events of the whole process as Chrome's JSON, through Node's NodeTracing domain, which an inspector session of a
 * worker thread can use as well (20 to 26). Node hands events over in heaps of 65,536, and the rest when tracing stops.
 */
export async function captureTrace(
  subject: Subject,
  { duration, categories }: CaptureParameters<'trace'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  const inspector = await subject.inspector();
  const starting = 'starting the trace';
  let running = false;
  let failure: unknown;
  let events = 0;
  let lastAt = 0;
  const stop = inspector.on('NodeTracing.dataCollected', ({ value }: { value: unknown[] }) => {
    if (failure || control.abandoned.aborted || value.length === 0) return;
    try {
      const text = JSON.stringify(value);
      sink.writeSync(`${events === 0 ? '' : ',\n'}${text.slice(1, -1)}`);
      events += value.length;
      lastAt = performance.now();
    } catch (error) {
      failure = error;
    }
  });
  try {
    const included = await checkCategories(inspector, categories, control, starting);
    sink.writeSync('{"traceEvents":[\n');
    running = true;
    const traceConfig = { includedCategories: included, recordMode: 'recordAsMuchAsPossible' };
    await patiently(inspector, control, starting, ['NodeTracing.start', { traceConfig }], startMs);
    control.phase('recording');
    await lapse(control, duration);
    const stopped = performance.now();
    await patiently(inspector, control, 'collecting events', ['NodeTracing.stop'], startMs);
    running = false;
    const over = () => performance.now() - Math.max(stopped, lastAt);
    while (!failure && !control.abandoned.aborted && (events === 0 || over() < quietMs) && over() < lastEventsMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (failure) throw failure;
    if (events === 0) control.note('no event was recorded in these categories');
    sink.writeSync('\n]}\n');
  } catch (error) {
    throw stillNative(error, running ? 'stop the trace' : 'start the trace');
  } finally {
    stop();
    if (running) inspector.post('NodeTracing.stop', {}, { timeoutMs: lastEventsMs }).catch(() => {});
  }
}

async function checkCategories(
  inspector: Inspector,
  text: string,
  control: CaptureControl,
  phase: string,
): Promise<string[]> {
  const wanted = [...new Set(text.split(',').map((name) => name.trim()))].filter(Boolean);
  const { categories } = await patiently<{ categories: string[] }>(
    inspector,
    control,
    phase,
    ['NodeTracing.getCategories'],
    startMs,
  );
  const unknown = wanted.filter((name) => !categories.includes(name) && !ofV8.test(name));
  if (wanted.length > 0 && unknown.length === 0) return wanted;
  throw new NodeopsError(
    'bad-request',
    unknown.length === 0
      ? "'categories' is empty"
      : `there is no trace category ${unknown.map((name) => `'${name}'`).join(', ')}`,
    {
      hint: `there are ${categories.join(', ')}, and V8's own: v8, v8.cpu_profiler, disabled-by-default-v8.gc and others`,
      detail: { unknown, categories },
    },
  );
}
