import { chmod, realpath, writeFile } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { NodeopsError } from '../../../protocol/errors.ts';
import { command } from '../../cli/command.ts';
import { write } from '../../io.ts';

export const completion = command({
  name: 'completion',
  summary: 'Print the completion script of a shell, or install completion for kubectl',
  usage: 'bash|zsh|fish|install',
  flags: {
    dir: {
      type: 'text',
      placeholder: 'DIR',
      summary: 'where install writes, a directory on the PATH (default the one that has the plugin)',
      maxLength: 4096,
    },
  },
  examples: ['completion install', 'completion bash > ~/.local/share/bash-completion/completions/nodeops'],
  async run({ args: [what, ...rest], flags, io }) {
    const { scripts, shim, shimName } = await import('./scripts.ts');
    if (what === 'install' && rest.length === 0) {
      const plugin = await realpath(io.executable);
      const path = join(flags.dir ?? (await onPath(plugin, io.env.PATH)) ?? dirname(io.executable), shimName);
      try {
        await writeFile(path, shim(plugin));
        await chmod(path, 0o755);
      } catch (cause) {
        throw new NodeopsError('local-file', `cannot write ${path}: ${(cause as Error).message}`, {
          cause,
          hint: 'name a directory on the PATH with --dir',
        });
      }
      await write(io.stdout, `${path}\n`);
      return 0;
    }
    if (what === undefined || rest.length > 0 || !Object.hasOwn(scripts, what))
      throw new NodeopsError('usage', 'completion takes one of bash, zsh, fish, install');
    await write(io.stdout, scripts[what as keyof typeof scripts]);
    return 0;
  },
});

/** The directory of the PATH where kubectl found the plugin: krew and others put a link there. */
async function onPath(plugin: string, path = ''): Promise<string | undefined> {
  for (const directory of path.split(delimiter).filter((entry) => entry !== ''))
    for (const name of new Set(['kubectl-nodeops', basename(plugin)])) {
      const found = await realpath(join(directory, name)).catch(() => undefined);
      if (found === plugin) return directory;
    }
  return undefined;
}
