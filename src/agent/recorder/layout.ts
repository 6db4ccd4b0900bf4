/** Where parts of one buffer lie: one after the other, each at a multiple of eight bytes. */
export function layOut<K extends string>(
  sizes: Readonly<Record<K, number>>,
): {
  /** Offsets in bytes. */
  readonly at: Readonly<Record<K, number>>;
  /** Of all together. */
  readonly bytes: number;
} {
  let bytes = 0;
  const at = {} as Record<K, number>;
  for (const part in sizes) {
    at[part] = bytes;
    bytes += Math.ceil(sizes[part] / 8) * 8;
  }
  return { at, bytes };
}
