import { command } from '../../cli/command.ts';
import { write } from '../../io.ts';

export const options = command({
  name: 'options',
  summary: "Print the connection flags: kubectl's own, accepted by every command",
  usage: '',
  flags: {},
  async run({ io }) {
    const { kubeOptions } = await import('../../cli/program.ts');
    const shown = kubeOptions();
    const width = Math.max(...shown.map(({ flags }) => flags.length));
    await write(
      io.stdout,
      shown.map(({ flags, description }) => `  ${flags.padEnd(width)}  ${description}\n`).join(''),
    );
    return 0;
  },
});
