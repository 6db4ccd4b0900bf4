/** The pages of docs/ as `nodeops help` prints them: for a terminal without a browser. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';
import type { Plugin } from 'esbuild';

/** About the project, not about using it. */
const leftOut = /^(?:architecture|release|performance)$/;

/** Text by topic: the name of its page. Pages of commands go before others of the same name. */
export async function helpPages(docs = 'docs'): Promise<Record<string, string>> {
  const pages: Record<string, string> = {};
  for (const folder of [docs, join(docs, 'commands')]) {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md').sort();
    for (const name of names) {
      const topic = basename(name, '.md');
      if (folder === docs && leftOut.test(topic)) continue;
      const text = plainText(await readFile(join(folder, name), 'utf8'));
      pages[topic] = pages[topic] === undefined ? text : `${text}\n${pages[topic]}`;
    }
  }
  return pages;
}

/** Markdown as one reads it: no links, no marks of code, tables in columns, paragraphs as wide as a terminal. */
export function plainText(markdown: string): string {
  const lines: string[] = [];
  let table: string[][] = [];
  let paragraph: string[] = [];
  const end = () => {
    lines.push(...columns(table), ...paragraphLines(paragraph.join(' ')));
    [table, paragraph] = [[], []];
  };
  let fenced = false;
  for (const line of `${markdown.trimEnd()}\n`.split('\n')) {
    const fence = line.startsWith('```');
    if (fenced || fence || (line.startsWith('    ') && paragraph.length === 0)) {
      end();
      if (!fence) lines.push(fenced ? `    ${line}`.trimEnd() : line);
      fenced = fence ? !fenced : fenced;
    } else if (line.startsWith('|')) {
      if (table.length === 0) end();
      if (!/^[|\s:-]+$/.test(line)) table.push(cells(line));
    } else if (/^(?:#|<!--|\s*$)/.test(line)) {
      end();
      if (!line.startsWith('<!--')) lines.push(inline(line.replace(/^#+ /, '')).toUpperCase());
    } else {
      if (/^\s*(?:[-*]|\d+\.) /.test(line) || table.length > 0) end();
      paragraph.push(line);
    }
  }
  return lines.join('\n').replaceAll(/\n{3,}/g, '\n\n');
}

function paragraphLines(text: string): string[] {
  const [, indent = '', mark = ''] = /^(\s*)([-*] |\d+\. )?/.exec(text) ?? [];
  const hanging = indent + ' '.repeat(mark.length);
  const words = inline(text.slice(indent.length + mark.length));
  return wrapped(words, wrapAt - hanging.length).map((line, at) => (at === 0 ? indent + mark : hanging) + line);
}

function cells(row: string): string[] {
  return row
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => inline(cell.trim()));
}

function inline(text: string): string {
  return text
    .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replaceAll(/`([^`]+)`/g, '$1')
    .replaceAll(/\*\*([^*]+)\*\*/g, '$1')
    .replaceAll('\\|', '|');
}

/** Cells up to this width stand beside one another; wider ones below, indented. */
const widest = 34;
const wrapAt = 100;

function columns(rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const width = Math.min(widest, Math.max(...rows.map(([first = '']) => first.length)));
  return rows
    .filter((row) => row.some((cell) => cell !== ''))
    .flatMap(([first = '', ...rest]) => {
      const text = rest.filter((cell) => cell !== '').join('; ');
      const [start, ...more] = wrapped(text, wrapAt - width - 4);
      const indent = ' '.repeat(width + 4);
      return first.length > width
        ? [`  ${first}`, ...(start === undefined ? [] : [start, ...more].map((line) => indent + line))]
        : [`  ${first.padEnd(width)}  ${start ?? ''}`.trimEnd(), ...more.map((line) => indent + line)];
    });
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((each) => each !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `import bytes from 'help:pages'`: all of them inside the bundle, as brotli-compressed JSON. */
export const packedHelp: Plugin = {
  name: 'packed-help',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^help:pages$/ }, ({ path }) => ({ path, namespace: 'packed-help' }));
    onLoad({ filter: /.*/, namespace: 'packed-help' }, async () => ({
      contents: await promisify(brotliCompress)(JSON.stringify(await helpPages())),
      loader: 'binary',
    }));
  },
};
