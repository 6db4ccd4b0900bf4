import { command } from '../../cli/command.ts';
import { doctorFlags } from './flags.ts';

export const doctor = command({
  name: 'doctor',
  summary: 'Check every link from the kubeconfig to the process, and say what mends the broken ones',
  usage: '[TARGET]',
  flags: doctorFlags,
  examples: ['doctor', 'doctor deploy/api', 'doctor pod/api-0 -o json', 'doctor 4711'],
  async run(invocation) {
    const { runDoctor } = await import('./run.ts');
    return runDoctor(invocation);
  },
});
