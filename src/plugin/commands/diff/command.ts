import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

const { selector: _, 'field-selector': __, ...chosen } = targetFlags;

export const diff = command({
  name: 'diff',
  summary: 'Show what got slower or larger: between two profiles, two selections or two ReplicaSets',
  usage: 'BASE NEW',
  flags: {
    capture: {
      type: 'choice',
      summary: 'what is captured of processes',
      choices: ['pprof-cpu', 'pprof-heap'],
      default: 'pprof-cpu',
    },
    duration: { type: 'duration', summary: 'how long they are captured', default: 30_000, min: 100, max: 3_600_000 },
    normalize: {
      type: 'choice',
      summary: 'scale the base to the time measured, or to the same total',
      choices: ['auto', 'none', 'duration', 'total'],
      default: 'auto',
    },
    show: {
      type: 'choice',
      summary: 'changes that are shown',
      choices: ['all', 'worse', 'better'],
      default: 'all',
    },
    sort: { type: 'choice', summary: 'by own or by all time', choices: ['flat', 'cum'], default: 'flat' },
    count: { type: 'integer', summary: 'functions shown, 0 for all', default: 20, min: 0, max: 100_000 },
    save: { type: 'text', placeholder: 'FILE', summary: 'save the difference as a pprof profile', maxLength: 4096 },
    overwrite: { type: 'boolean', summary: 'replace the file that --save names', default: false },
    'source-map-dir': {
      type: 'text',
      placeholder: 'DIR',
      summary: 'directory with the source maps of what runs there',
      maxLength: 4096,
    },
    output: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'form of the output',
      choices: ['json', 'yaml'],
    },
    ...chosen,
  },
  examples: [
    'diff before.cpu.pb.gz after.cpu.pb.gz',
    'diff before.heapsnapshot after.heapsnapshot',
    'diff rs/api-7d9 rs/api-8c1 --duration 10s',
    'diff app=api,track=stable app=api,track=canary --show worse',
    'diff last-week.cpu.pb.gz deploy/api --save diff.pb.gz',
  ],
  async run(invocation) {
    const { runDiff } = await import('./run.ts');
    return runDiff({
      ...invocation,
      flags: { ...invocation.flags, selector: undefined, 'field-selector': undefined },
    });
  },
});
