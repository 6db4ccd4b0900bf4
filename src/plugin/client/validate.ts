/** Replies are checked before anything looks at them: an agent may be of another version, or hostile. */
import { type OutputUnit, Validator } from '@cfworker/json-schema';
import type { OperationName } from '../../protocol/operations.ts';
import replies from './replies.schema.json' with { type: 'json' };

const validators = new Map<OperationName, Validator>();

/** Where a reply is not what its operation replies, in words; undefined where it is. */
export function problemOf(operation: OperationName, reply: unknown): string | undefined {
  let validator = validators.get(operation);
  if (!validator) {
    validator = new Validator({ ...envelopeOf(operation), ...replies } as never, '2020-12');
    validators.set(operation, validator);
  }
  const { valid, errors } = validator.validate(reply);
  return valid ? undefined : worded(errors);
}

function envelopeOf(operation: OperationName): object {
  return {
    type: 'object',
    properties: {
      at: { type: 'string', maxLength: 1_024 },
      process: {
        type: 'object',
        properties: { container: { type: ['string', 'null'], maxLength: 1_024 }, pid: { type: 'integer', minimum: 0 } },
        required: ['container', 'pid'],
      },
      data: { $ref: `#/definitions/Replies/properties/${operation}` },
      stuck: { anyOf: [{ type: 'null' }, { $ref: '#/definitions/NativeEvidence' }] },
      notes: { type: 'array', items: { type: 'string', maxLength: 8192 }, maxItems: 1_000 },
    },
    required: ['at', 'process', 'data', 'stuck', 'notes'],
  };
}

/** The innermost of the errors, which come after those around them: these only say that something inside is wrong. */
function worded(errors: readonly OutputUnit[]): string {
  const depth = ({ instanceLocation }: OutputUnit) => instanceLocation.length;
  const innermost = errors.findLast((error) => depth(error) === Math.max(...errors.map(depth)));
  const place = (innermost?.instanceLocation ?? '#').slice(2).replaceAll('/', '.');
  return `${place === '' ? 'the reply' : place.slice(0, 120)}: ${innermost?.error.slice(0, 200) ?? 'not valid'}`;
}
