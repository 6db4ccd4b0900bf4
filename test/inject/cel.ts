/**
 * Evaluates a rendered MutatingAdmissionPolicy here, with a CEL library for JavaScript. What the library does not have is
 * added: message literals (`JSONPatch{…}`, `Object.spec…{…}`) become calls, `lists.range` and `replace` are registered. It is not
 * the API server's CEL: test/e2e/inject.test.ts applies the same table to that one.
 */
import { Environment } from '@marcbachmann/cel-js';
import { applyPatch } from 'rfc6902';
import type { Pod } from '../../src/inject/pod.ts';
import type { Manifest } from '../helm/helm.ts';

/** A policy's answer: the pod as patched, or undefined where a match condition says no. */
export function evaluatePolicy(policy: Manifest, pod: Pod): Pod | undefined {
  const { matchConditions, variables, mutations } = policy.spec;
  const environment = kubernetesEnvironment();
  const object = withIntegers(pod);
  for (const { name, expression } of matchConditions as { name: string; expression: string }[]) {
    const matches = evaluate(environment, `match condition ${name}`, expression, { object });
    if (typeof matches !== 'boolean') throw new Error(`match condition ${name} is no bool`);
    if (!matches) return undefined;
  }
  const context: { object: unknown; variables: Record<string, unknown> } = { object, variables: {} };
  for (const { name, expression } of variables as { name: string; expression: string }[]) {
    context.variables[name] = evaluate(environment, `variable ${name}`, expression, context);
  }
  const patched = structuredClone(pod);
  for (const { jsonPatch } of mutations as { jsonPatch: { expression: string } }[]) {
    const patch = withNumbers(
      evaluate(environment, 'mutation', messagesAsCalls(jsonPatch.expression), context),
    ) as never;
    const failed = applyPatch(patched, patch).filter((error) => error !== null);
    if (failed.length > 0) throw new Error(`the patch does not apply: ${failed[0]} in ${JSON.stringify(patch)}`);
  }
  return patched;
}

/** The library's own errors carry the whole syntax tree, which a test's report would print. */
function evaluate(environment: Environment, what: string, expression: string, context: object): unknown {
  try {
    return environment.evaluate(expression, context as Record<string, unknown>);
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

function kubernetesEnvironment(): Environment {
  class Lists {}
  return new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, limits: { maxDepth: 1_000 } })
    .registerType('Lists', { ctor: Lists, fields: {} })
    .registerConstant('lists', 'Lists', new Lists())
    .registerFunction('Lists.range(int): list<int>', (_lists: unknown, count: bigint) =>
      Array.from({ length: Number(count) }, (_, index) => BigInt(index)),
    )
    .registerFunction('list.flatten(): list<dyn>', (list: unknown[]) => list.flat())
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, to),
    )
    .registerFunction('message(map): dyn', (fields: unknown) => fields);
}

const messageType = /(?:JSONPatch|Object(?:\.[A-Za-z]+)*)(?=\{)/y;
const stringLiteral = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y;
const field = /([A-Za-z_]\w*)\s*:\s*/y;

interface Open {
  readonly bracket: string;
  /** Of a message; undefined for other brackets. */
  readonly type?: string;
  field?: string;
}

/**
 * Writes `T{name: value}` as `message({"name": dyn(value)})`. Throws where the API server would: the type of a message within a
 * message is the outer one's followed by the field's name.
 */
export function messagesAsCalls(expression: string): string {
  const open: Open[] = [];
  let out = '';
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(expression);
    if (match) at += match[0].length;
    return match;
  };
  let expectsField = false;
  while (at < expression.length) {
    const literal = take(stringLiteral);
    if (literal) {
      out += literal[0];
      continue;
    }
    const type = take(messageType);
    if (type) {
      const outer = open.findLast((bracket) => bracket.type !== undefined);
      if (outer && outer.type !== 'JSONPatch' && `${outer.type}.${outer.field}` !== type[0])
        throw new Error(`${type[0]} in field ${outer.field} of ${outer.type}`);
      at++;
      out += 'message({';
      open.push({ bracket: '{', type: type[0] });
      expectsField = true;
      continue;
    }
    const inner = open.at(-1);
    const name = expectsField && inner?.type !== undefined ? take(field) : null;
    if (name) {
      inner!.field = name[1]!;
      out += `"${name[1]}": dyn(`;
      expectsField = false;
      continue;
    }
    const character = expression[at++]!;
    if ('([{'.includes(character)) open.push({ bracket: character });
    if (character === ',' && inner?.type !== undefined) {
      out += ')';
      expectsField = true;
    }
    if (')]}'.includes(character)) {
      open.pop();
      if (inner?.type !== undefined) out += expectsField ? '}' : ')}';
      if (inner?.type !== undefined) expectsField = false;
      out += inner?.type !== undefined ? ')' : character;
    } else out += character;
  }
  return out;
}

/** JSON's numbers are CEL's doubles; a pod's are integers. */
function withIntegers(value: unknown): unknown {
  return walk(value, (leaf) => (typeof leaf === 'number' ? BigInt(leaf) : leaf));
}

function withNumbers(value: unknown): unknown {
  return walk(value, (leaf) => (typeof leaf === 'bigint' ? Number(leaf) : leaf));
}

function walk(value: unknown, leaf: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, leaf));
  if (typeof value !== 'object' || value === null) return leaf(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, walk(item, leaf)]));
}
