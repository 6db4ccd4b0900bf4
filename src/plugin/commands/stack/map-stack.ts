import type { SourceMapLookup } from '../../../formats/source-maps.ts';
import type { StackReply } from '../../../protocol/replies.ts';
import { originalFrame } from '../../../source-maps/frames.ts';

/** The same stacks with frames where their source was written, as far as maps are at hand; what is mapped already stays. */
export function mapStack(reply: StackReply, lookup: SourceMapLookup): StackReply {
  const threads = reply.threads.map((thread) => ({
    ...thread,
    frames: thread.frames.map((frame) => {
      const map = frame.generated ? undefined : lookup(frame.file);
      return (map && originalFrame(map, frame)) ?? frame;
    }),
  }));
  return { ...reply, threads };
}
