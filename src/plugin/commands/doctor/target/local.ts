/** A process of this machine, from its id to its agent. */
import { readFile, readlink, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join } from 'node:path';
import type { Target } from '../../../target.ts';
import { addressTarget } from '../../../targets/address.ts';
import { configDirs, pidTarget } from '../../../targets/pid.ts';
import { fail, ok, skip, warn } from '../check.ts';
import type { Examination } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';
import { examineAgent } from './agent.ts';

export function examinePid(exam: Examination, pid: number, around: Surroundings): void {
  const { io } = around;
  const alive = exam.link({ id: 'process', what: 'process', needs: [] }, () => {
    const state = signalled(pid);
    if (state === 'gone') return fail(`there is no process ${pid}`, { run: ['pgrep -a node'] });
    return ok(String(pid));
  });
  exam.link({ id: 'process.user', what: 'user', needs: [alive] }, async () => {
    const owner = await stat(`/proc/${pid}`).then(
      ({ uid }) => uid,
      () => undefined,
    );
    const me = process.getuid?.();
    if (owner === undefined || me === undefined) return skip('cannot be seen on this platform');
    if (owner === me) return ok(`uid ${owner}, as you`);
    if (me === 0)
      return warn(`uid ${owner}; you are root, and look in root's config directory`, sudo(owner, pid, around));
    return warn(`uid ${owner}, you are ${me} (${userInfo().username})`, sudo(owner, pid, around));
  });
  const node = exam.link({ id: 'process.node', what: 'Node.js process', needs: [alive] }, async () => {
    const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
    if (executable === undefined) return ok('its program cannot be seen');
    const program = basename(executable.replace(/ \(deleted\)$/, ''));
    if (/^node(?:js)?(?:[-.\d]|$)/.test(program)) return ok(executable);
    return warn(`it runs ${program}, which may have another name for Node.js`, { run: ['pgrep -a node'] });
  });
  const dirs = configDirs({ env: io.env });
  const file = exam.link({ id: 'process.file', what: 'config directory', needs: [alive, node] }, async () => {
    const found = await Promise.all(dirs.map((dir) => readFile(join(dir, String(pid)), 'utf8').catch(() => undefined)));
    const index = found.findIndex((text) => text !== undefined);
    const where = dirs.join(' or ');
    if (index < 0)
      return fail(`no file ${pid} in ${where}: no agent runs there, or it was told another directory`, {
        say: 'load the agent, or name the directory in NODEOPS_CONFIG_DIR:',
        run: [
          "NODE_OPTIONS='--require nodeops/preload' node APP",
          `NODEOPS_CONFIG_DIR=DIR ${io.program} doctor ${pid}`,
        ],
      });
    const port = found[index]!.trim();
    return /^[1-9]\d{0,4}$/.test(port)
      ? ok(`${join(dirs[index]!, String(pid))}: port ${port}`)
      : fail(`${join(dirs[index]!, String(pid))} holds no port`, { run: [`rm ${join(dirs[index]!, String(pid))}`] });
  });
  const target = exam.link<readonly [typeof file], Target>(
    { id: 'process.port', what: 'port', needs: [file] },
    async () => {
      const found = await pidTarget(pid, { env: io.env });
      return ok(found.endpoint.name, found);
    },
  );
  examineAgent(exam, target, { around });
}

export function examineAddress(exam: Examination, host: string, port: number, around: Surroundings): void {
  const target = exam.link({ id: 'address', what: 'address', needs: [] }, async (signal) => {
    const to = addressTarget(host, port);
    const transport = await to.endpoint.connect(signal);
    transport.destroy();
    return ok(to.endpoint.name, to);
  });
  examineAgent(exam, target, { around });
}

function signalled(pid: number): 'there' | 'gone' {
  try {
    process.kill(pid, 0);
    return 'there';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'there' : 'gone';
  }
}

function sudo(uid: number, pid: number, { io }: Surroundings) {
  return { run: [`sudo -u '#${uid}' ${io.program} doctor ${pid}`] };
}
