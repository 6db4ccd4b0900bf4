import { command } from '../../cli/command.ts';
import { targetFlags } from '../../cli/common-flags.ts';

export const artifacts = command({
  name: 'artifacts',
  summary: 'List, get or remove what agents have kept: crash records and what triggers captured',
  usage: 'list|get|rm TARGET [NAME...]',
  flags: {
    output: {
      type: 'text',
      placeholder: 'DIR',
      summary: 'where `get` saves (default: the current directory)',
      maxLength: 4096,
    },
    all: { type: 'boolean', summary: 'every artifact, for get and rm', default: false },
    result: {
      type: 'choice',
      short: 'o',
      placeholder: 'FORMAT',
      summary: 'form of what is told',
      choices: ['json', 'yaml', 'name'],
    },
    ...targetFlags,
  },
  examples: [
    'artifacts list pod/api-0',
    'artifacts get pod/api-0 --all --output crash/',
    'artifacts rm pod/api-0 --all',
  ],
  async run(invocation) {
    const { runArtifacts } = await import('../postmortem/artifacts.ts');
    return runArtifacts(invocation);
  },
});
