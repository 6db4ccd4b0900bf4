/** Sizes as they are typed. */

/** 1024 for what this program prints itself (MB) and for Kubernetes' Mi; 1000 for Kubernetes' M. */
const factors: Readonly<Record<string, number>> = Object.fromEntries([
  ['', 1],
  ...['k', 'm', 'g', 't'].flatMap((letter, index) => [
    [letter, 1000 ** (index + 1)],
    [`${letter}i`, 1024 ** (index + 1)],
    [`${letter}b`, 1024 ** (index + 1)],
    [`${letter}ib`, 1024 ** (index + 1)],
  ]),
]);

/** Bytes of `512`, `1.5Gi`, `20 MB`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?) ?([a-z]{0,3})$/i.exec(text) ?? [];
  const factor = factors[unit.toLowerCase()];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}
