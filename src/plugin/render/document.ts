/** `-o json` and `-o yaml`: one document, an object for a single named target and a list otherwise, as kubectl does. */
import type { NodeopsError } from '../../protocol/errors.ts';
import { encodeError } from '../../protocol/wire.ts';
import { isPrintable } from './printable.ts';
import type { TargetName } from './target-name.ts';

export type DocumentFormat = 'json' | 'yaml';

export function isDocumentFormat(format: string | undefined): format is DocumentFormat {
  return format === 'json' || format === 'yaml';
}

export interface Item {
  readonly target: TargetName;
  readonly envelope?: object | undefined;
  readonly error?: NodeopsError | undefined;
}

/** The object of one target: who was asked, then the agent's envelope, or the error in its place. */
export function itemObject({ target, envelope, error }: Item): object {
  return error ? { schema: 'nodeops/v1', target, error: encodeError(error).error } : { target, ...envelope };
}

/** Several targets: `items` in the order they were named. */
export function listObject(operation: string, items: readonly Item[]): object {
  return { schema: 'nodeops/v1', kind: 'List', operation, items: items.map(itemObject) };
}

export async function documentText(format: DocumentFormat, value: object): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, null, 2)}\n`;
  const { Document, visit } = await import('yaml');
  const document = new Document(value);
  // what is escaped on its way out is still what it was only between double quotes
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && !isPrintable(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
