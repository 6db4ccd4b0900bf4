/**
 * Statements without an effect on a number `x`, 0 or more, that make the function they stand in larger than what V8 inlines (460
 * bytes of bytecode). In a CPU profile what was inlined before it began is filed under its caller, which may be one of Node's.
 */
export const tooLargeToInline = Array.from({ length: 100 }, (_, i) => `if (x < -${i + 1}e9) x += ${i};`).join(' ');
