import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressTarget } from '../../../src/plugin/targets/address.ts';
import { configDirs, pidTarget } from '../../../src/plugin/targets/pid.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-pid-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function failure(promise: Promise<unknown>): Promise<NodeopsError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NodeopsError);
  return error as NodeopsError;
}
const never = () => AbortSignal.timeout(30_000);

/** Runs a program until `use` is done. */
async function running<T>(
  command: string,
  args: string[],
  options: object,
  use: (pid: number) => Promise<T>,
): Promise<T> {
  const child = spawn(command, args, { stdio: 'ignore', ...options });
  await once(child, 'spawn');
  try {
    return await use(child.pid!);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
const idle = ['-e', 'setInterval(() => {}, 1000)'];

describe('the config directories', () => {
  it.each([
    [{ NODEOPS_CONFIG_DIR: '/n', GOPS_CONFIG_DIR: '/g' }, 'linux', ['/n']],
    [{ GOPS_CONFIG_DIR: '/g', XDG_CONFIG_HOME: '/x' }, 'linux', ['/g']],
    [{ XDG_CONFIG_HOME: '/x', HOME: '/h' }, 'linux', ['/x/gops', '/h/.config/gops']],
    [{ HOME: '/h' }, 'linux', ['/h/.config/gops']],
    [{ HOME: '/h' }, 'darwin', ['/h/Library/Application Support/gops', '/h/.config/gops']],
  ] as const)('of %j on %s', (env, platform, expected) => {
    expect(configDirs({ env, platform })).toEqual(expected);
  });
});

describe('a process by its id', () => {
  const env = () => ({ env: { GOPS_CONFIG_DIR: dir } });

  it('is reached by the port in its file', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await writeFile(join(dir, String(process.pid)), `${(server.address() as AddressInfo).port}\n`);
    const { endpoint, process: selector } = await pidTarget(process.pid, env());
    const transport = await endpoint.connect(never());
    expect(String((await once(transport, 'data'))[0])).toBe('hello');
    transport.destroy();
    server.close();
    expect(selector).toBe(String(process.pid));
    expect(await failure(endpoint.connect(never()))).toMatchObject({ code: 'no-agent' });
  });

  it('that is gone is said to be, with the file it left behind', async () => {
    const gone = await running(process.execPath, ['-e', '0'], {}, async (pid) => pid);
    expect(await failure(pidTarget(gone, env()))).toMatchObject({
      code: 'no-such-process',
      message: `there is no process ${gone}`,
    });
    await writeFile(join(dir, String(gone)), '8848');
    expect((await failure(pidTarget(gone, env()))).message).toBe(
      `there is no process ${gone} any more; it left ${join(dir, String(gone))} behind`,
    );
  });

  it('without an agent says how to load it', async () => {
    const error = await running(process.execPath, idle, {}, (pid) => failure(pidTarget(pid, env())));
    expect(error.code).toBe('no-agent');
    expect(error.message).toContain('has no agent');
    expect(error.hint).toContain('NODE_OPTIONS');
  });

  it('that is no Node.js process is said to be none', async () => {
    const error = await running('sleep', ['60'], {}, (pid) => failure(pidTarget(pid, env())));
    expect(error.message).toMatch(/is not a Node\.js process: it runs /);
  });

  it.runIf(process.getuid?.() === 0)('of another user is said to be so', async () => {
    const error = await running('sleep', ['60'], { uid: 65_534, gid: 65_534 }, (pid) => failure(pidTarget(pid, env())));
    expect(error.code).toBe('no-agent');
    expect(error.message).toMatch(/belongs to user '(nobody|#65534)'/);
    expect(error.hint).toContain('sudo -u');
  });
});

describe('an address', () => {
  it('where nothing listens is no-agent, a name that is none is unreachable', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const error = await failure(addressTarget('127.0.0.1', port).endpoint.connect(never()));
    expect(error).toMatchObject({ code: 'no-agent', message: `nothing listens on 127.0.0.1:${port}` });
    expect(await failure(addressTarget('nodeops.invalid', 1).endpoint.connect(never()))).toMatchObject({
      code: 'unreachable',
    });
  });

  it('gives up when the signal does', async () => {
    const aborted = addressTarget('127.0.0.1', 9).endpoint.connect(AbortSignal.abort(new Error('enough')));
    await expect(aborted).rejects.toThrow('enough');
  });
});
