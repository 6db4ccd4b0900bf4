/** Label and field selectors; parser and error texts follow apimachinery's labels and fields packages. */
import { badRequest } from './status.ts';
import type { KubeObject } from './types.ts';

type Token = 'identifier' | 'end' | 'error' | ')' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | '(' | 'in' | 'notin';
interface Item {
  readonly token: Token;
  readonly literal: string;
}

export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';
  readonly values: readonly string[];
}

const special = new Set('=!(),><');

function scan(text: string): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < text.length; ) {
    const c = text[at]!;
    if (' \t\r\n'.includes(c)) at++;
    else if (special.has(c)) {
      const two = text.slice(at, at + 2);
      const literal = two === '==' || two === '!=' ? two : c;
      items.push({ token: literal as Token, literal });
      at += literal.length;
    } else {
      let end = at;
      while (end < text.length && !special.has(text[end]!) && !' \t\r\n'.includes(text[end]!)) end++;
      const literal = text.slice(at, end);
      items.push({ token: literal === 'in' || literal === 'notin' ? literal : 'identifier', literal });
      at = end;
    }
  }
  items.push({ token: 'end', literal: '' });
  return items;
}

class Parser {
  readonly #items: Item[];
  #at = 0;
  constructor(text: string) {
    this.#items = scan(text);
  }

  #look(values = true): Item {
    const item = this.#items[Math.min(this.#at, this.#items.length - 1)]!;
    const keyword = item.token === 'in' || item.token === 'notin';
    return values && keyword ? { ...item, token: 'identifier' } : item;
  }
  #take(values = true): Item {
    const item = this.#look(values);
    this.#at++;
    return item;
  }

  parse(): Requirement[] {
    const found: Requirement[] = [];
    for (;;) {
      const { token, literal } = this.#look();
      if (token === 'end') return found;
      if (token !== 'identifier' && token !== '!')
        throw new Error(`found '${literal}', expected: !, identifier, or 'end of string'`);
      try {
        found.push(this.#requirement());
      } catch (error) {
        throw new Error(`unable to parse requirement: ${(error as Error).message}`);
      }
      const next = this.#take();
      if (next.token === 'end') return found;
      if (next.token !== ',') throw new Error(`found '${next.literal}', expected: ',' or 'end of string'`);
      const after = this.#look();
      if (after.token !== 'identifier' && after.token !== '!')
        throw new Error(`found '${after.literal}', expected: identifier after ','`);
    }
  }

  #requirement(): Requirement {
    let first = this.#take();
    const negated = first.token === '!';
    if (negated) first = this.#take();
    if (first.token !== 'identifier') throw new Error(`found '${first.literal}', expected: identifier`);
    const key = first.literal;
    checkKey(key);
    const next = this.#look();
    if (negated || next.token === 'end' || next.token === ',') {
      return { key, operator: negated ? '!' : 'exists', values: [] };
    }
    const operator = this.#take(false);
    const names: Partial<Record<Token, Requirement['operator']>> = {
      in: 'in',
      notin: 'notin',
      '=': '=',
      '==': '==',
      '!=': '!=',
      '>': 'gt',
      '<': 'lt',
    };
    const name = names[operator.token];
    if (!name) throw new Error(`found '${operator.literal}', expected: in, notin, =, ==, !=, gt, lt`);
    const values = name === 'in' || name === 'notin' ? this.#values() : [this.#exactValue()];
    if ((name === 'gt' || name === 'lt') && !/^[+-]?\d+$/.test(values[0]!))
      throw new Error(
        `values[0]: Invalid value: "${values[0]}": for 'Gt', 'Lt' operators, the value must be an integer`,
      );
    for (const [i, value] of values.entries()) checkValue(key, value, i);
    return { key, operator: name, values };
  }

  #values(): string[] {
    const open = this.#take();
    if (open.token !== '(') throw new Error(`found '${open.literal}' expected: '('`);
    const next = this.#look();
    if (next.token === ')') {
      this.#take();
      return [''];
    }
    if (next.token !== 'identifier' && next.token !== ',')
      throw new Error(`found '${next.literal}', expected: ',', ')' or identifier`);
    const values = this.#identifiers();
    const close = this.#take();
    if (close.token !== ')') throw new Error(`found '${close.literal}', expected: ')'`);
    return values;
  }

  #identifiers(): string[] {
    const values = new Set<string>();
    for (;;) {
      const { token, literal } = this.#take();
      if (token === 'identifier') {
        values.add(literal);
        const next = this.#look();
        if (next.token === ',') continue;
        if (next.token === ')') return [...values].sort();
        throw new Error(`found '${next.literal}', expected: ',' or ')'`);
      }
      if (token !== ',') throw new Error(`found '${literal}', expected: ',', or identifier`);
      if (values.size === 0) values.add('');
      const next = this.#look();
      if (next.token === ')') return [...values.add('')].sort();
      if (next.token === ',') {
        this.#take();
        values.add('');
      }
    }
  }

  #exactValue(): string {
    const next = this.#look();
    if (next.token === 'end' || next.token === ',') return '';
    const { token, literal } = this.#take();
    if (token !== 'identifier') throw new Error(`found '${literal}', expected: identifier`);
    return literal;
  }
}

const namePart =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valuePart =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** What is wrong with a label's key, or undefined. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/');
  const name = parts.at(-1)!;
  if (parts.length > 2 || !/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(name)) return namePart;
  if (name.length > 63) return 'name part must be no more than 63 bytes';
  return undefined;
}

/** What is wrong with a label's value, or undefined. */
export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 bytes';
  return /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(value) ? undefined : valuePart;
}

function checkKey(key: string): void {
  const problem = labelKeyProblem(key);
  if (problem) throw new Error(`key: Invalid value: "${key}": ${problem}`);
}

function checkValue(key: string, value: string, index: number): void {
  const problem = labelValueProblem(value);
  if (problem) throw new Error(`values[${index}][${key}]: Invalid value: "${value}": ${problem}`);
}

export type Labels = Readonly<Record<string, string>>;

/** Throws `400 BadRequest` in the words of a real server. */
export function parseLabelSelector(text: string): Requirement[] {
  try {
    return new Parser(text).parse();
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

export function matchesLabels(requirements: readonly Requirement[], labels: Labels = {}): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels[key];
    if (operator === 'exists') return value !== undefined;
    if (operator === '!') return value === undefined;
    if (operator === 'notin' || operator === '!=') return value === undefined || !values.includes(value);
    if (value === undefined) return false;
    if (operator === 'gt') return Number(value) > Number(values[0]);
    if (operator === 'lt') return Number(value) < Number(values[0]);
    return values.includes(value);
  });
}

/** A LabelSelector object (`matchLabels`, `matchExpressions`) as requirements. */
export function selectorRequirements(selector: KubeObject['selector']): Requirement[] {
  const operators: Record<string, Requirement['operator']> = {
    In: 'in',
    NotIn: 'notin',
    Exists: 'exists',
    DoesNotExist: '!',
  };
  return [
    ...Object.entries((selector?.matchLabels ?? {}) as Labels).map(([key, value]) => ({
      key,
      operator: '=' as const,
      values: [value],
    })),
    ...(selector?.matchExpressions ?? []).map((e: { key: string; operator: string; values?: string[] }) => ({
      key: e.key,
      operator: operators[e.operator]!,
      values: e.values ?? [],
    })),
  ];
}

const general = ['metadata.name', 'metadata.namespace'];
const selectable: Record<string, readonly string[]> = {
  Pod: [
    ...general,
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.podIPs',
    'status.nominatedNodeName',
  ],
  Event: [
    ...general,
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  Namespace: [...general, 'status.phase'],
  Secret: [...general, 'type'],
  Job: [...general, 'status.successful'],
  Node: [...general, 'spec.unschedulable'],
  ReplicaSet: [...general, 'status.replicas'],
  Service: [...general, 'spec.clusterIP', 'spec.type'],
};

export type FieldMatcher = (object: KubeObject) => boolean;

/** Throws `400 BadRequest` for a selector that cannot be read and for a field that cannot be selected by. */
export function parseFieldSelector(text: string, kind: string): FieldMatcher {
  const terms = text
    .split(/(?<!\\),/)
    .filter(Boolean)
    .map((term) => {
      const match = /^((?:\\.|[^\\=!])*)(!=|==|=)(.*)$/s.exec(term);
      if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      const [, path, operator, value] = match;
      const known = selectable[kind];
      if (!(known ?? general).includes(path!))
        throw badRequest(
          known
            ? `field label not supported: ${path}`
            : `"${path}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
        );
      return { path: path!, equal: operator !== '!=', value: value!.replace(/\\(.)/g, '$1') };
    });
  return (object) => terms.every(({ path, equal, value }) => (String(fieldOf(object, path)) === value) === equal);
}

function fieldOf(object: KubeObject, path: string): unknown {
  if (path === 'source') return object.source?.component || object.reportingComponent || '';
  const value = path.split('.').reduce<KubeObject | undefined>((at, part) => at?.[part], object);
  return value ?? (path === 'spec.hostNetwork' || path === 'spec.unschedulable' ? 'false' : '');
}
