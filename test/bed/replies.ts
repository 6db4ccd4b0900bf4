/** Replies made from their schema: what a test does not say of one is null, zero or empty. */
import schema from '../../src/plugin/client/replies.schema.json' with { type: 'json' };
import type { OperationName } from '../../src/protocol/operations.ts';
import type { Replies } from '../../src/protocol/replies.ts';

interface Schema {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: readonly Schema[];
}

type Members = Readonly<Record<string, unknown>>;
const definitions = schema.definitions as unknown as Readonly<Record<string, Schema>>;

/** The least reply that is valid, with what is said of it. */
export function replyOf<N extends OperationName>(operation: N, said: object = {}): Replies[N] {
  return make(definitions.Replies!.properties![operation]!, said) as Replies[N];
}

/** Around such a reply. */
export function envelopeOf<N extends OperationName>(operation: N, said: object = {}) {
  return {
    ...{ schema: 'nodeops/v1', operation, at: '', process: { container: null, pid: 1 } },
    ...{ data: replyOf(operation, said), stuck: null, notes: [] },
  };
}

/** An object is completed with what it must have; anything else is as it is said. */
function make(of: Schema, said: unknown): unknown {
  if (said !== undefined && (typeof said !== 'object' || said === null || Array.isArray(said))) return said;
  if (of.$ref) return make(definitions[of.$ref.split('/').at(-1)!]!, said);
  if (of.anyOf) {
    const nullable = of.anyOf.some(({ type }) => type === 'null');
    return said === undefined && nullable ? null : make(of.anyOf.find(({ type }) => type !== 'null')!, said);
  }
  if (said !== undefined) {
    const keys = new Set([...(of.required ?? []), ...Object.keys(said)]);
    const members = said as Members;
    return Object.fromEntries(
      [...keys].map((key) => [key, of.properties?.[key] ? make(of.properties[key], members[key]) : members[key]]),
    );
  }
  return least(of);
}

function least(of: Schema): unknown {
  if (of.const !== undefined) return of.const;
  if (of.enum) return of.enum[0];
  const types = [of.type].flat();
  if (types.includes('null')) return null;
  if (types.includes('array')) return Array.isArray(of.items) ? of.items.map((one) => make(one, undefined)) : [];
  if (types.includes('string')) return '';
  if (types.includes('boolean')) return false;
  if (types.includes('number') || types.includes('integer')) return 0;
  return Object.fromEntries((of.required ?? []).map((key) => [key, make(of.properties![key]!, undefined)]));
}
