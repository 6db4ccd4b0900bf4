/** gops' one-byte signals, so that the gops CLI works against a Node process: `gops/signal` and `gops/agent` are the counterpart. */
import type { Socket } from 'node:net';
import type { MemstatsReply, StackReply, StatsReply } from '../../protocol/replies.ts';
import { memstatsText } from '../../protocol/text/memstats.ts';
import { stackText } from '../../protocol/text/stack.ts';
import { statsText } from '../../protocol/text/stats.ts';
import type { Front, Pod } from '../awake/pod.ts';
import { perform } from './perform.ts';

type Answer = (
  ask: (operation: 'stack' | 'memstats' | 'stats', parameters?: object) => Promise<unknown>,
  pod: Pod,
) => Promise<string>;

const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;
const notYet =
  (what: string): Answer =>
  async () =>
    `nodeops: ${what} is not answered to gops; use kubectl nodeops\n`;

/** Signal byte → answer. gops reads until the connection ends. */
const signals: Readonly<Record<number, Answer>> = {
  1: async (ask) => text(stackText((await ask('stack')) as StackReply)),
  2: notYet('gc'),
  3: async (ask) => text(memstatsText((await ask('memstats')) as MemstatsReply)),
  4: async (_ask, pod) => `${pod.self.version.nodeVersion}\n`,
  5: notYet('pprof-heap'),
  6: notYet('pprof-cpu'),
  7: async (ask) => text(statsText((await ask('stats', { window: 200 })) as StatsReply)),
  8: notYet('trace'),
  9: notYet('binary'),
  16: notYet('setgc'),
};

export function isSignal(byte: number): boolean {
  return Object.hasOwn(signals, byte);
}

/** Answers the signal at the head of a connection and ends it. Nothing is answered where a token is asked for: gops knows none. */
export async function answerSignal(pod: Pod, front: Front, socket: Socket): Promise<void> {
  const resident = front === 'door' ? pod.self : front;
  const [byte] = (socket.read() as Buffer | null) ?? [];
  const signal = byte === undefined ? undefined : signals[byte];
  if (!signal || pod.settings.token !== null) return void socket.destroy();
  // what a signal has no use for is not kept
  socket.resume();
  try {
    const reply = await signal(
      async (operation, parameters = {}) => (await perform(pod, resident, operation, { ...parameters })).data,
      { ...pod, self: resident },
    );
    socket.end(reply);
  } catch (error) {
    socket.end(`nodeops: ${error instanceof Error ? error.message : error}\n`);
  }
}
