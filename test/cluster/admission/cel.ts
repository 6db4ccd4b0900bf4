/**
 * CEL as admission uses it, with a CEL library for JavaScript. What the library does not have is added: message literals
 * (`JSONPatch{…}`, `Object.spec…{…}`) become calls; Kubernetes' functions on lists, strings and JSON Patch keys are registered.
 * It does not check types against the schemas, as the API server does when a policy is created.
 */
import { Environment } from '@marcbachmann/cel-js';

type Program = (context: Record<string, unknown>) => unknown;

const programs = new Map<string, Program>();
let shared: Environment | undefined;

/** Evaluates an expression. Throws with the library's message, after `what`. */
export function evaluate(what: string, expression: string, context: object): unknown {
  try {
    return compile(expression)(context as Record<string, unknown>);
  } catch (error) {
    // the library's own errors carry the whole syntax tree, which a test's report would print
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Why an expression cannot be compiled; undefined when it can. */
export function compileProblem(expression: string): string | undefined {
  try {
    shared ??= kubernetesEnvironment();
    const { valid, error } = shared.check(messagesAsCalls(expression));
    return valid ? undefined : (error?.message ?? 'invalid');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Variables that an expression uses without their being declared: the API server knows those before it only. */
export function undeclaredVariables(expression: string, declared: readonly string[]): string[] {
  const used = expression
    .replaceAll(new RegExp(stringLiteral.source, 'g'), '""')
    .matchAll(/\bvariables\.([A-Za-z_]\w*)/g);
  return [...new Set([...used].map(([, name]) => name!))].filter((name) => !declared.includes(name));
}

/** Variables that are worked out when they are first used, each with those before it. */
export function lazyVariables(
  declared: readonly { name: string; expression: string }[],
  context: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  for (const { name, expression } of declared)
    Object.defineProperty(variables, name, {
      enumerable: true,
      configurable: true,
      get() {
        const value = evaluate(`variable ${name}`, expression, { ...context, variables });
        Object.defineProperty(variables, name, { enumerable: true, value });
        return value;
      },
    });
  return variables;
}

function compile(expression: string): Program {
  const known = programs.get(expression);
  if (known) return known;
  shared ??= kubernetesEnvironment();
  const program = shared.parse(messagesAsCalls(expression)) as unknown as Program;
  programs.set(expression, program);
  return program;
}

function kubernetesEnvironment(): Environment {
  class Lists {}
  class JsonPatchLibrary {}
  return new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true, limits: { maxDepth: 1_000 } })
    .registerType('Lists', { ctor: Lists, fields: {} })
    .registerConstant('lists', 'Lists', new Lists())
    .registerFunction('Lists.range(int): list<int>', (_lists: unknown, count: bigint) =>
      Array.from({ length: Number(count) }, (_, index) => BigInt(index)),
    )
    .registerType('JsonPatchLibrary', { ctor: JsonPatchLibrary, fields: {} })
    .registerConstant('jsonpatch', 'JsonPatchLibrary', new JsonPatchLibrary())
    .registerFunction('JsonPatchLibrary.escapeKey(string): string', (_library: unknown, key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
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

/** JSON’s numbers are CEL’s doubles; an object’s are integers. */
export function withIntegers(value: unknown): unknown {
  return walk(value, (leaf) => (typeof leaf === 'number' ? BigInt(leaf) : leaf));
}

export function withNumbers(value: unknown): unknown {
  return walk(value, (leaf) => (typeof leaf === 'bigint' ? Number(leaf) : leaf));
}

function walk(value: unknown, leaf: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, leaf));
  if (typeof value !== 'object' || value === null) return leaf(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key, walk(item, leaf)]));
}
