import { cp, readdir } from 'node:fs/promises';

/** The agent's files in the image. */
export const imageAgentFolder = '/agent';

/**
 * Copies the agent's files into a volume, readable for every user: the init container's whole work. It needs no shell, and a
 * second run (a restarted pod sandbox) does the same again. Returns the names copied; throws when there are none.
 */
export async function install(to: string, from: string = imageAgentFolder): Promise<string[]> {
  await cp(from, to, { recursive: true, force: true });
  const names = await readdir(to);
  if (!names.includes('preload.cjs')) throw new Error(`${from} holds no preload.cjs: is this the nodeops image?`);
  return names.sort();
}
