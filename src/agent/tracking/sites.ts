import type { CreationFrame } from '../../inspect/creations.ts';

/** Frames looked at, Node's own among them, and frames of the app that are kept. */
const framesRead = 24;
const framesKept = 6;

/** Puts V8's call sites on the error instead of text: no string is made of frames nobody reads. */
function toFrames(_: Error, sites: NodeJS.CallSite[]): CreationFrame[] {
  const frames: CreationFrame[] = [];
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || file.startsWith('node:')) continue;
    frames.push({
      function: site.getFunctionName() ?? '(anonymous)',
      file,
      line: site.getLineNumber() ?? 1,
      column: site.getColumnNumber() ?? 1,
    });
    if (frames.length >= framesKept) break;
  }
  return frames;
}

/** The app's frames below the function `above`, innermost first; empty where it was Node's own doing. */
export function captureSites(above: (...args: never[]) => unknown): readonly CreationFrame[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = framesRead;
    Error.prepareStackTrace = toFrames;
    Error.captureStackTrace(holder, above);
    const { stack } = holder;
    return Array.isArray(stack) ? (stack as CreationFrame[]) : [];
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    // left undefined where it was: some libraries ask whether it is set
    Error.prepareStackTrace = prepareStackTrace;
  }
}
