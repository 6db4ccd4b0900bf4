/** When memory counts as short: shares of a limit, for the main thread that watches its heap and for the worker that watches it all. */

/** Memory counts as what it will be in so many seconds, at the pace of the last one. */
export const aheadSeconds = 2;
/** From here on allocations are sampled. V8 gives up at some four fifths already where collections free too little. */
export const sampleAt = 0.65;
/** Each of them once, until memory is no longer short: a record is kept. */
export const recordAt: readonly number[] = [0.8, 0.95];
