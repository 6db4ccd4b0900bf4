import { brotliDecompressSync } from 'node:zlib';
import { NodeopsError } from '../../../protocol/errors.ts';
import { command } from '../../cli/command.ts';
import { write } from '../../io.ts';

export const help = command({
  name: 'help',
  summary: 'Print the page of a command or topic: findings, errors, configuration, security, triggers, …',
  usage: '[TOPIC]',
  flags: {},
  examples: ['help', 'help why', 'help errors'],
  async run({ args: [topic, ...rest], io }) {
    if (rest.length > 0) throw new NodeopsError('usage', 'help takes one topic', { hint: `${io.program} help` });
    const { default: packed } = await import('help:pages');
    const pages = JSON.parse(brotliDecompressSync(packed).toString()) as Record<string, string>;
    if (topic === undefined) {
      const topics = Object.keys(pages).sort();
      await write(io.stdout, `Topics:\n${topics.map((name) => `  ${io.program} help ${name}\n`).join('')}`);
      return 0;
    }
    const name = aliases[topic] ?? topic;
    if (!Object.hasOwn(pages, name))
      throw new NodeopsError('usage', `there is no topic '${topic}'`, { hint: `${io.program} help lists them` });
    await write(io.stdout, pages[name]!);
    return 0;
  },
});

/** Commands that share a page with others. */
const aliases: Readonly<Record<string, string>> = {
  'pprof-cpu': 'pprof',
  'pprof-heap': 'pprof',
  disable: 'enable',
};
