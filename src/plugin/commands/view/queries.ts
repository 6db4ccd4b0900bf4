/** The commands of the prompt: from a line of text to a report. */
import { defaultColumn } from '../../../formats/diff.ts';
import { filter } from '../../../formats/filter.ts';
import { appFrames, byPackage, isOwn } from '../../../formats/fold.ts';
import type { Profile } from '../../../formats/model.ts';
import { flame } from '../../../formats/summary/flame.ts';
import { list, type SourceLookup } from '../../../formats/summary/list.ts';
import { profileHead, type ReportOptions } from '../../../formats/summary/report.ts';
import { sampleIndex } from '../../../formats/summary/sample-index.ts';
import { tags } from '../../../formats/summary/tags.ts';
import { top } from '../../../formats/summary/top.ts';
import { traces } from '../../../formats/summary/traces.ts';
import { peek, tree } from '../../../formats/summary/tree.ts';
import { NodeopsError } from '../../../protocol/errors.ts';

export const help = `  top [N] [-cum]      the functions with the largest values; N are shown, 10 unless given
  lines [N]           the same line by line
  packages [N]        the same package by package
  focus app|all|REGEX only the app's own frames, the others counted for their callers; or only stacks with such a function
  flame               a flame graph: every call path with its share
  tree [N]            every function with its callers and callees
  peek REGEX          the same for functions whose name matches
  list REGEX          their source with the value of each line
  traces              every stack
  tags                labels and their share: pods, containers, threads
  sample_index NAME   the value to look at; without NAME the choices
  web                 show the profile in the browser
  help                this
  quit                leave (or Ctrl-D)
`;

export const queryNames = [
  'top',
  'lines',
  'packages',
  'focus',
  'flame',
  'tree',
  'peek',
  'list',
  'traces',
  'tags',
  'sample_index',
  'web',
  'help',
  'quit',
];

/** One profile being asked about; it remembers the column that was chosen. */
export class Queries {
  readonly #whole: Profile;
  #profile: Profile;
  readonly #sources: SourceLookup;
  #column: number;

  constructor(profile: Profile, sources: SourceLookup) {
    this.#whole = profile;
    this.#profile = profile;
    this.#sources = sources;
    this.#column = defaultColumn(profile);
  }

  /** What the profile says of itself. */
  head(): string {
    return profileHead(this.#profile, this.#column);
  }

  /** What is shown to whoever has not asked: the functions with the largest values, and those of the app by all they called. */
  overview(widthColumns = 0): string {
    const options = { column: this.#column, widthColumns };
    const plain = top(this.#profile, options);
    const { functions } = this.#profile;
    if (!functions.some(isOwn) || functions.every(isOwn)) return plain;
    const table = top(appFrames(this.#profile), { ...options, sort: 'cum', nodeCount: 5 });
    const from = table.indexOf('      flat  flat%');
    return `${plain}\nThe app's own functions by all they called (others are counted for their callers):\n${table.slice(from)}`;
  }

  /** `app`, `all`, or a regular expression over function names and files. Throws `usage` for a bad one. */
  focus(text: string): void {
    if (text === 'app') this.#profile = appFrames(this.#whole);
    else if (text === 'all' || text === '') this.#profile = this.#whole;
    else this.#profile = filter(this.#whole, { focus: expression('focus', text) });
  }

  /** The answer to a line; undefined for what is no query. Throws `usage` for wrong arguments. */
  answer(line: string, widthColumns = 0): string | undefined {
    const [, word, rest] = /^([a-z_]+)(.*)$/s.exec(line.trim()) ?? [];
    const text = rest?.replace(/^\s*=?\s*/, '').trim() ?? '';
    const options = { column: this.#column, widthColumns };
    switch (word) {
      case 'top':
        if (text === '' && line.trim() === 'top') return this.overview(widthColumns);
        return top(this.#profile, { ...options, ...counted(text, line) });
      case 'lines':
        return top(this.#profile, { ...options, ...counted(text, line), per: 'line' });
      case 'packages':
        return top(byPackage(this.#profile), { ...options, ...counted(text, line) });
      case 'flame':
        return flame(this.#profile, options);
      case 'focus':
        this.focus(text);
        return this.overview(widthColumns);
      case 'tree':
        return tree(this.#profile, { ...options, ...counted(text, line) });
      case 'peek':
        return peek(this.#profile, expression(word, text), options);
      case 'list':
        return list(this.#profile, expression(word, text), this.#sources, options);
      case 'traces':
        return traces(this.#profile, options);
      case 'tags':
        return tags(this.#profile, options);
      case 'sample_index':
        return this.#choose(text);
      case 'help':
        return help;
      default:
        return undefined;
    }
  }

  #choose(text: string): string {
    if (text !== '') this.#column = sampleIndex(this.#profile, text);
    return this.#profile.sampleTypes
      .map(({ type, unit }, i) => `${i === this.#column ? '*' : ' '} ${i} ${type} (${unit})\n`)
      .join('');
  }
}

/** `20`, `-cum`, `20 -cum`: as pprof takes them, `top20` too. */
function counted(text: string, line: string): Pick<ReportOptions, 'nodeCount' | 'sort'> {
  const options: { nodeCount?: number; sort?: 'cum' } = {};
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (/^\d{1,7}$/.test(word)) options.nodeCount = Number(word);
    else if (/^--?cum$/.test(word)) options.sort = 'cum';
    else throw new NodeopsError('usage', `'${line.trim()}': '${word}' is no number and not -cum`);
  }
  return options;
}

function expression(command: string, text: string): RegExp {
  if (text === '')
    throw new NodeopsError('usage', `${command} takes a regular expression over function names`, {
      hint: `such as: ${command} handle`,
    });
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new NodeopsError('usage', (cause as Error).message, { cause });
  }
}
