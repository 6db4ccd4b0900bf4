/** What a request for an artifact asks for: pure functions over headers. */
import { NodeopsError } from '../../protocol/errors.ts';

export type Encoding = 'zstd' | 'gzip' | 'identity';

/** The densest encoding that the client takes and this Node has; by rank, for what weighs is the link's speed. */
export function chooseEncoding(acceptEncoding: string | undefined, hasZstd: boolean): Encoding {
  const accepted = new Map(
    (acceptEncoding ?? '').split(',').map((entry) => {
      const [name = '', ...parameters] = entry
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const quality = parameters.find((parameter) => parameter.startsWith('q='));
      return [name, quality === undefined ? 1 : Number(quality.slice(2))];
    }),
  );
  const takes = (name: string): boolean => (accepted.get(name) ?? accepted.get('*') ?? 0) > 0;
  if (hasZstd && takes('zstd')) return 'zstd';
  return takes('gzip') ? 'gzip' : 'identity';
}

export interface Range {
  readonly from: number;
  /** The first byte that is not wanted; undefined for the end. */
  readonly to: number | undefined;
}

/** `bytes=N-` or `bytes=N-M`, in uncompressed bytes. Throws `bad-request` for any other form. */
export function parseRange(header: string | undefined): Range | undefined {
  if (header === undefined) return undefined;
  const [, from, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header.trim()) ?? [];
  if (from === undefined || (last && Number(last) < Number(from)))
    throw new NodeopsError('bad-request', `Range is '${header.slice(0, 64)}'; it takes bytes=N- or bytes=N-M`);
  return { from: Number(from), to: last ? Number(last) + 1 : undefined };
}
