import type { Frame, StackReply, ThreadStack } from '../replies.ts';
import { frameText } from './frame.ts';
import { nothingText } from './waits.ts';

const states = {
  running: 'running',
  waiting: 'waiting',
  native: 'in native code',
  between: 'busy, between callbacks',
  idle: 'idle, waiting in the event loop',
} as const;

/** The stacks thread by thread, then what an idle main thread waits for. */
export function stackText(stack: StackReply): string[] {
  const blocks = stack.threads.map((thread) => [heading(thread), ...thread.frames.map(frameLine)]);
  const { pending } = stack;
  if (pending) {
    const lines = pending.map(
      ({ type, count, details }) => `    ${count} ${type}${details.length ? `: ${details.join(', ')}` : ''}`,
    );
    blocks.push(['waiting for:', ...(lines.length ? lines : [`    ${nothingText(false)}`])]);
  }
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function heading({ thread, name, state, waitsIn, frames }: ThreadStack): string {
  const where = waitsIn ? ` in ${waitsIn}(2)` : '';
  const ran = state === 'between' && frames.length > 0 ? '; what ran next' : '';
  return `thread ${thread}${name ? ` '${name}'` : ''} [${states[state]}${where}${ran}]:`;
}

function frameLine(frame: Frame): string {
  return `    at ${frameText(frame)}`;
}
