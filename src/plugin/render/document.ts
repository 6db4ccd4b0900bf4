/** `-o json`, `-o yaml` and `-o kyaml`: one document, an object for a single named target and a list otherwise, as kubectl does. */
import type { NodeopsError } from '../../protocol/errors.ts';
import { encodeError } from '../../protocol/wire.ts';
import { isPrintable } from './printable.ts';
import type { TargetName } from './target-name.ts';

export type DocumentFormat = 'json' | 'yaml' | 'kyaml';

export function isDocumentFormat(format: string | undefined): format is DocumentFormat {
  return format === 'json' || format === 'yaml' || format === 'kyaml';
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
  if (format === 'kyaml') return `---\n${kyaml(JSON.parse(JSON.stringify(value)), '')}\n`;
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

/** As kubectl 1.37 prints it: YAML that no reader takes for something else, strings quoted, brackets instead of indentation. */
function kyaml(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const items = list
    ? value.map((item) => kyaml(item, inner))
    : Object.entries(value).map(
        ([key, item]) => `${plainKey.test(key) ? key : JSON.stringify(key)}: ${kyaml(item, inner)}`,
      );
  const [open, close] = list ? '[]' : '{}';
  return items.length === 0
    ? `${open}${close}`
    : `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}${close}`;
}

/** Nothing that YAML 1.1 takes for a boolean, a null or a number. */
const plainKey = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z_][\w-]*$/i;
