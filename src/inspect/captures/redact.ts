/**
 * A heap snapshot without the contents of strings, masked while it streams: shapes, sizes, names and who holds what stay. Nodes and
 * edges come before the strings in V8's format, so that by then it is known which strings are only contents.
 */

import { maskText } from '../../secrets/text.ts';

/** What may stay although a string of the program has the same text: words as they are in code. */
const limitNameLength = 40;
const contentTypes = new Set([
  'string',
  'concatenated string',
  'sliced string',
  'regexp',
  'symbol',
  'bigint',
  'number',
]);

type Part = 'head' | 'nodes' | 'edges' | 'other' | 'strings' | 'tail';

/** Takes V8's chunks in order, gives what may be written. */
export class SnapshotRedactor {
  #part: Part = 'head';
  /** The end of the last chunk, where a key or a number may go on. */
  #rest = '';
  #meta: { node: string[]; types: string[]; edge: string[]; edgeTypes: string[] } | undefined;
  #field = 0;
  #row: number[] = [];
  /** Strings that name something: a class, a function, a property, a file. */
  readonly #names = new Set<number>();
  /** Of these, properties: a program may use secrets as keys. */
  readonly #properties = new Set<number>();
  readonly #contents = new Set<number>();
  #index = 0;
  #inString = false;
  #text = '';
  #masks = 0;

  write(chunk: string): string {
    let text = this.#rest + chunk;
    this.#rest = '';
    let out = '';
    while (text !== '') {
      const [done, left, more] = this.#step(text);
      out += done;
      text = left;
      if (more) {
        this.#rest = text;
        break;
      }
    }
    return out;
  }

  /** What was held back at the end. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }

  /** What to write, what is left to look at, and whether more must come first. */
  #step(text: string): [done: string, left: string, more: boolean] {
    switch (this.#part) {
      case 'head': {
        const at = text.indexOf('"nodes":[');
        if (at < 0) return ['', text, true];
        const head = text.slice(0, at);
        this.#readMeta(head);
        this.#part = 'nodes';
        return [text.slice(0, at + 9), text.slice(at + 9), false];
      }
      case 'nodes':
      case 'edges':
        return this.#numbers(text);
      case 'other': {
        // numbers and lists of numbers until the strings, and V8 names functions of an allocation trace by number, too
        const edges = text.indexOf('"edges":[');
        if (edges >= 0) {
          this.#part = 'edges';
          return [text.slice(0, edges + 9), text.slice(edges + 9), false];
        }
        const at = text.indexOf('"strings":[');
        if (at >= 0) {
          this.#part = 'strings';
          return [text.slice(0, at + 11), text.slice(at + 11), false];
        }
        const keep = Math.max(0, text.length - 16);
        return [text.slice(0, keep), text.slice(keep), true];
      }
      case 'strings':
        return this.#strings(text);
      case 'tail':
        return [text, '', false];
    }
  }

  #readMeta(head: string): void {
    const { meta } = JSON.parse(`{${head.slice(head.indexOf('"snapshot"')).replace(/,\s*$/, '')}}`).snapshot;
    this.#meta = {
      node: meta.node_fields,
      types: meta.node_types[0],
      edge: meta.edge_fields,
      edgeTypes: meta.edge_types[0],
    };
  }

  #numbers(text: string): [string, string, boolean] {
    const end = text.indexOf(']');
    // the last number may go on in the next chunk
    const safe = end >= 0 ? end : Math.max(text.lastIndexOf(','), text.lastIndexOf('\n'));
    if (safe < 0) return ['', text, true];
    const nodes = this.#part === 'nodes';
    const width = nodes ? this.#meta!.node.length : this.#meta!.edge.length;
    let value = -1;
    for (let at = 0; at <= safe; at++) {
      const digit = text.charCodeAt(at) - 48;
      if (digit >= 0 && digit <= 9) {
        value = value < 0 ? digit : value * 10 + digit;
        continue;
      }
      if (value < 0) continue;
      this.#row[this.#field++] = value;
      value = -1;
      if (this.#field < width) continue;
      this.#field = 0;
      if (nodes) this.#node();
      else this.#edge();
    }
    if (end < 0) return [text.slice(0, safe + 1), text.slice(safe + 1), true];
    this.#part = 'other';
    return [text.slice(0, end + 1), text.slice(end + 1), false];
  }

  #node(): void {
    const { node, types } = this.#meta!;
    const name = this.#row[node.indexOf('name')]!;
    if (contentTypes.has(types[this.#row[node.indexOf('type')]!]!)) this.#contents.add(name);
    else this.#names.add(name);
  }

  #edge(): void {
    const { edge, edgeTypes } = this.#meta!;
    const type = edgeTypes[this.#row[edge.indexOf('type')]!]!;
    if (type === 'element' || type === 'hidden') return;
    const name = this.#row[edge.indexOf('name_or_index')]!;
    if (type === 'property' || type === 'shortcut') this.#properties.add(name);
    else this.#names.add(name);
  }

  #strings(text: string): [string, string, boolean] {
    let out = '';
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (!this.#inString) {
        if (code === 0x22) {
          out += text.slice(from, at + 1);
          this.#inString = true;
          this.#text = '';
          from = at + 1;
        } else if (code === 0x5d) {
          this.#part = 'tail';
          return [out + text.slice(from, at + 1), text.slice(at + 1), false];
        }
      } else if (code === 0x5c) {
        if (at + 1 >= text.length) {
          this.#text += text.slice(from, at);
          return [out, text.slice(at), true];
        }
        at++;
      } else if (code === 0x22) {
        this.#text += text.slice(from, at);
        out += `${this.#masked(this.#index++, this.#text)}"`;
        this.#inString = false;
        from = at + 1;
      }
    }
    if (this.#inString) {
      this.#text += text.slice(from);
      return [out, '', false];
    }
    return [out + text.slice(from), '', false];
  }

  /** In JSON, without quotes, both. */
  #masked(index: number, json: string): string {
    // V8 tells the pairs of a WeakMap by the texts of key and value
    if (/^(?:\d+ \/ )?part of key \(/.test(json))
      return json.replace(
        /part of key \(.* (@\d+)\) -> value \(.* (@\d+)\) pair/,
        'part of key (key $1) -> value (value $2) pair',
      );
    if (this.#names.has(index) && !this.#contents.has(index)) return json;
    if (isName(json) && (this.#names.has(index) || this.#properties.has(index))) return json;
    if (
      this.#names.has(index) &&
      /^(?:(?:system|Node) \/ [\w /:*()-]*|\([\w ]+\)|(?:node:|file:\/\/|\/)[\w@./-]+)$/.test(json)
    )
      return json;
    if (!this.#contents.has(index) && !this.#properties.has(index)) return isName(json) ? json : this.#mask(json);
    // V8's own words for a string in parts, which it names by no text
    return /^(?:\((?:concatenated|sliced) string\))?$/.test(json) ? json : this.#mask(json);
  }

  /** As long as the text was; no two the same unless they were one string. */
  #mask(json: string): string {
    const length = [...json.replace(/\\u[0-9a-fA-F]{4}|\\./g, 'x')].length;
    const number = `#${(this.#masks++).toString(36)}`;
    return number.length >= length ? number.slice(0, Math.max(1, length)) : number + '*'.repeat(length - number.length);
  }
}

/** A word as code has it: letters, few digits, short. What looks like a key or a token is none. */
function isName(json: string): boolean {
  if (json.length > limitNameLength) return false;
  const [, word = json] = /^<symbol (?:Symbol\.|node:|undici\.)?([^>]*)>$/.exec(json) ?? [];
  if (word === '') return true;
  // a key may be a token of letters
  if (maskText(word) !== word) return false;
  return /^(?:get |set )?[A-Za-z_$][A-Za-z_$]*\d{0,2}[A-Za-z_$]*\d{0,2}$/.test(word);
}
