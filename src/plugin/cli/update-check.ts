/** Whether a newer plugin is released: asked only where NODEOPS_UPDATE_CHECK says so, once a day at most, and never in CI. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../io.ts';

const releases = 'https://api.github.com/repos/nodeops/nodeops/releases/latest';
const dayMs = 86_400_000;
const answerMs = 1_500;
const answerBytes = 1 << 20;

/** A line for stderr, or nothing; whatever goes wrong is nothing too. */
export async function updateNote({ env, stderr, now }: Pick<Io, 'env' | 'stderr' | 'now'>): Promise<string | null> {
  const asked = env.NODEOPS_UPDATE_CHECK ?? '';
  if (/^(?:|0|false|no|off)$/i.test(asked) || env.CI || !stderr.isTTY) return null;
  try {
    const own = process.env.NODEOPS_VERSION!;
    if (!(await isDue(env, now()))) return null;
    const newest = await newestOf(/^https?:/.test(asked) ? asked : releases, own);
    const { gt, valid } = await import('semver');
    if (valid(newest) === null || !gt(newest, own)) return null;
    return `note: nodeops ${valid(newest)} is released, and this is ${own}; NODEOPS_UPDATE_CHECK asks for this\n`;
  } catch {
    return null;
  }
}

/** Notes the time before anything is asked: what does not answer is not asked again for a day either. */
async function isDue(env: Io['env'], now: Date): Promise<boolean> {
  const folder = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'nodeops');
  const file = join(folder, 'update-check');
  const last = Date.parse((await readFile(file, 'utf8').catch(() => '')).trim());
  if (Math.abs(now.getTime() - last) < dayMs) return false;
  await mkdir(folder, { recursive: true });
  await writeFile(file, `${now.toISOString()}\n`);
  return true;
}

async function newestOf(address: string, own: string): Promise<string> {
  const { request } = address.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': `nodeops/${own}`, accept: 'application/json' };
    const asked = request(address, { headers, signal: AbortSignal.timeout(answerMs) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > answerBytes) asked.destroy();
      });
      answer.on('error', reject).on('end', () => {
        try {
          const { tag_name: tag, version } = JSON.parse(text) as { tag_name?: unknown; version?: unknown };
          resolve(String(tag ?? version));
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.on('error', reject).end();
  });
}
