/** `--checks FILE`: YAML, read node by node so that what is wrong is told with its line and column. */
import { readFile, stat } from 'node:fs/promises';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type CheckName, checkNames, checks } from './checks.ts';
import { closest } from './closest.ts';
import { type Limit, parseLimit, takes } from './limit.ts';
import type { ChecksFile, Limits } from './plan.ts';

/** Bytes of a file that is read. */
const limitBytes = 1024 * 1024;
/** Problems told at once. */
const limitProblems = 5;

/** Throws `usage` naming line and column, `local-file` for what cannot be read. */
export async function readChecksFile(path: string): Promise<ChecksFile> {
  const fail = (cause: Error) => {
    throw new NodeopsError('local-file', `cannot read ${path}: ${cause.message}`, { cause });
  };
  const found = await stat(path).catch(fail);
  if (found && found.size > limitBytes)
    throw new NodeopsError('too-large', `${path} has ${found.size} bytes; a checks file has ${limitBytes} at most`);
  return parseChecksFile((await readFile(path, 'utf8').catch(fail)) as string, path);
}

/** `path` is what messages call it. */
export function parseChecksFile(text: string, path: string): ChecksFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: false });
  const reader = new Reader(document, lines);
  for (const { code, pos, message } of document.errors) reader.problem(pos[0], ownWords[code] ?? message);
  const file = document.errors.length > 0 ? undefined : reader.file(document.contents);
  const { problems } = reader;
  if (file && problems.length === 0) return file;
  const [first, ...more] = problems.map((problem) => `${path}:${problem}`);
  const rest = more.slice(0, limitProblems - 1);
  if (more.length > rest.length) rest.push(`and ${more.length - rest.length} more`);
  throw new NodeopsError('usage', first!, {
    ...(rest.length > 0 ? { hint: rest.join('; ') } : {}),
    detail: { problems },
  });
}

/** Of the parser's messages those that advise the caller of the parser. */
const ownWords: Readonly<Partial<Record<string, string>>> = {
  MULTIPLE_DOCS: 'a second document begins here; a checks file is one',
};

const topKeys = ['defaults', 'checks', 'workloads', 'containers'];

class Reader {
  readonly problems: string[] = [];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;

  constructor(document: Document.Parsed, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  problem(at: Node | null | undefined | number, message: string): void {
    const { line, col } = this.#lines.linePos(typeof at === 'number' ? at : (at?.range?.[0] ?? 0));
    this.problems.push(`${line}:${col}: ${message}`);
  }

  file(contents: Node | null): ChecksFile {
    const file = {
      defaults: true,
      checks: new Map() as Limits,
      workloads: new Map<string, Limits>(),
      containers: new Map<string, Limits>(),
    };
    const top = this.#map(contents, 'the file');
    if (top && top.items.length === 0) this.problem(top, `the file is empty; it takes ${topKeys.join(', ')}`);
    for (const [key, value, at] of this.#entries(top)) {
      if (key === 'defaults') file.defaults = this.#boolean(value, at);
      else if (key === 'checks') file.checks = this.#limits(value, key);
      else if (key === 'workloads' || key === 'containers') file[key] = this.#named(value, key);
      else this.problem(at, unknown('key', key, topKeys));
    }
    return file;
  }

  #named(node: Node | null, key: string): Map<string, Limits> {
    const map = this.#map(node, `'${key}'`);
    return new Map(this.#entries(map).map(([name, value]) => [name, this.#limits(value, name)]));
  }

  #limits(node: Node | null, key: string): Limits {
    const limits = new Map<CheckName, Limit | null>();
    for (const [name, value, at] of this.#entries(this.#map(node, `'${key}'`))) {
      if (!isCheckName(name)) this.problem(at, unknown('check', name, checkNames));
      else limits.set(name, this.#limit(name, value, at));
    }
    return limits;
  }

  #limit(name: CheckName, node: Node | null, at: Node): Limit | null {
    const { kind } = checks[name];
    const value = this.#scalar(node);
    // an unknown alias was told
    if (value === false || value === 'off' || value === unknownAlias) return null;
    const limit = typeof value === 'string' || typeof value === 'number' ? parseLimit(kind, String(value)) : undefined;
    if (!limit) this.problem(node ?? at, `'${name}' is ${shown(value)}; it takes ${takes[kind]}, or off`);
    return limit ?? null;
  }

  #boolean(node: Node | null, at: Node): boolean {
    const value = this.#scalar(node);
    if (typeof value !== 'boolean') this.problem(node ?? at, `'defaults' is ${shown(value)}; it takes true or false`);
    return value === true;
  }

  /** `<<` brings the entries of other maps; what a map says itself wins. */
  #entries(map: YAMLMap | undefined, within: readonly YAMLMap[] = []): [string, Node | null, Node][] {
    const merged = (map?.items ?? []).filter(({ key }) => isMergeKey(key));
    const own = (map?.items ?? []).flatMap(({ key, value }): [string, Node | null, Node][] => {
      if (isMergeKey(key)) return [];
      const name = this.#scalar(key as Node | null);
      if (typeof name === 'string' || typeof name === 'number')
        return [[String(name), value as Node | null, key as Node]];
      this.problem(key as Node, 'a key is text');
      return [];
    });
    const others = merged.flatMap(({ value }) => {
      const list = this.#resolved(value as Node | null);
      return (isSeq(list) ? (list.items as Node[]) : [list]).flatMap((each) => {
        const other = this.#map(each, "'<<'");
        if (!other || within.includes(other)) return [];
        return this.#entries(other, [...within, other]);
      });
    });
    const known = new Set(own.map(([name]) => name));
    // the first of several wins
    return [...own, ...others.filter(([name]) => !known.has(name) && known.add(name))];
  }

  /** The node that an alias stands for. */
  #resolved(node: Node | null): Node | null {
    if (!isAlias(node)) return node;
    const found = node.resolve(this.#document);
    if (!found) this.problem(node, `'*${node.source}' stands for nothing: no '&${node.source}' comes before it`);
    return found ?? unknownAlias;
  }

  #map(node: Node | null, what: string): YAMLMap | undefined {
    const found = this.#resolved(node);
    if (isMap(found)) return found;
    if (found === unknownAlias) return undefined;
    this.problem(node, `${what} takes keys and values, such as 'max-heap-used: 80%'`);
    return undefined;
  }

  /** undefined for what is no scalar */
  #scalar(node: Node | null): unknown {
    const found = this.#resolved(node);
    if (found === unknownAlias) return unknownAlias;
    return isScalar(found) ? found.value : undefined;
  }
}

/** In the place of what an alias without an anchor would be. */
const unknownAlias = new Scalar(null);

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function isCheckName(name: string): name is CheckName {
  return Object.hasOwn(checks, name);
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  const shortened = name.slice(0, 60);
  return `unknown ${what} '${shortened}'${meant ? `; did you mean '${meant}'?` : `; known are ${known.join(', ')}`}`;
}

function shown(value: unknown): string {
  if (value === null) return 'empty';
  return value === undefined ? 'no single value' : `'${String(value).slice(0, 40)}'`;
}
