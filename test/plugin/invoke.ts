/** Runs the plugin in this process, with streams of its own. */
import { PassThrough } from 'node:stream';
import { main } from '../../src/plugin/main.ts';

// what the build puts in
process.env.NODEOPS_VERSION ??= '0.0.0';

export interface Invoked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly env?: Record<string, string | undefined>;
  /** @default 'nodeops' */
  readonly program?: string;
  readonly signal?: AbortSignal;
}

export async function invoke(
  args: readonly string[],
  { env = {}, program = 'nodeops', signal }: Surroundings = {},
): Promise<Invoked> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const text = (stream: PassThrough) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  };
  const [out, err] = [text(stdout), text(stderr)];
  const code = await main(args, {
    ...{ stdin: new PassThrough(), stdout, stderr, program, executable: 'nodeops' },
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    signal: signal ?? new AbortController().signal,
    now: () => new Date(),
  });
  await new Promise((done) => setImmediate(done));
  return { code, stdout: out(), stderr: err() };
}
