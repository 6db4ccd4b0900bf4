import type { Frame, StackReply, ThreadStack } from '../replies.ts';
import { frameText } from './frame.ts';
import { nothingText } from './waits.ts';

const states = { running: 'running', idle: 'idle, waiting in the event loop', native: 'in native code' } as const;

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

function heading({ thread, name, state }: ThreadStack): string {
  return `thread ${thread}${name ? ` '${name}'` : ''} [${states[state]}]:`;
}

function frameLine(frame: Frame): string {
  return `    at ${frameText(frame)}`;
}
