/** One function on a stack. */
export interface Frame {
  /** `(anonymous)` where the function has no name. */
  function: string;
  /** Path or URL, of the original source where a source map was at hand. */
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** The source at that place as it runs, at most 160 characters; only of the innermost frame that is not Node's. */
  code?: string;
  /** Where it runs, if a source map changed it. */
  generated?: { file: string; line: number; column: number };
  /** A function of V8 or Node that is written in C++: `file` is empty, `line` and `column` are 0. */
  native?: true;
  /** Only where its function begins is known, not where in it the thread is. Line 0: not that either. */
  isStart?: true;
}
