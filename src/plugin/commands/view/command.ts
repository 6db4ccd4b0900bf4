import { NodeopsError } from '../../../protocol/errors.ts';
import { command } from '../../cli/command.ts';

export const view = command({
  name: 'view',
  summary: 'Look at a saved profile, heap snapshot or trace: in a prompt, or in the browser',
  usage: 'FILE',
  flags: {
    web: { type: 'boolean', summary: 'show it in the browser', default: false },
    output: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: "a heap snapshot's summary as a document",
      choices: ['json'],
    },
    tool: {
      type: 'text',
      placeholder: 'COMMAND',
      summary: 'open it with this, such as "go tool pprof"',
      maxLength: 4096,
    },
    focus: {
      type: 'text',
      placeholder: 'app|REGEX',
      summary: "only the app's own frames, or only stacks with such a function",
      maxLength: 4096,
    },
    'source-map-dir': {
      type: 'text',
      placeholder: 'DIR',
      summary: 'directory with source maps and sources',
      maxLength: 4096,
    },
  },
  examples: [
    'view api-0.web.7.20261122T231500Z.cpu.pb.gz',
    'view api-0.heapsnapshot',
    'view trace.json',
    'view heap.heapprofile --web',
  ],
  async run({ args, flags, io }) {
    const [file, ...more] = args;
    if (file === undefined || more.length > 0)
      throw new NodeopsError('usage', `view takes one file, not ${args.length}`, { hint: `${io.program} view FILE` });
    const { viewFile } = await import('./view-file.ts');
    const { web, tool, focus, 'source-map-dir': sourceDirectory } = flags;
    return viewFile(file, { web, tool, focus, sourceDirectory, json: flags.output === 'json' }, io);
  },
});
