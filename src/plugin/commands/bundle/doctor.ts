/** doctor's report, as it would be printed. */
import { Writable } from 'node:stream';
import type { Invocation } from '../../cli/command.ts';
import type { Subject } from './contents.ts';

/** Characters of a report. */
const limitText = 2_000_000;

export interface DoctorRequest extends Pick<Invocation, 'kube' | 'io'> {
  /** A target, or none with a selector. */
  readonly target: string | undefined;
  readonly selector: string | undefined;
  readonly container: string | undefined;
  readonly pid: number | undefined;
  readonly port: number;
}

export async function collectDoctor(request: DoctorRequest, subject: Subject, file: string): Promise<void> {
  const { target, selector, container, pid, port, kube, io } = request;
  const { runDoctor } = await import('../doctor/run.ts');
  let text = '';
  const stdout = new Writable({
    write(chunk, _, done) {
      if (text.length < limitText) text += chunk;
      done();
    },
  });
  const flags = { selector, container, pid, port, output: undefined };
  await runDoctor({ args: target === undefined ? [] : [target], flags, kube, io: { ...io, stdout } });
  await subject.text('doctor', file, text);
}
