import { spawn } from 'node:child_process';
import type { Io } from '../../io.ts';

/** Whether a browser can be opened where the user sits: a terminal on a machine with a display, not over ssh. */
export function hasDisplay({ env, stdout }: Io, platform: NodeJS.Platform = process.platform): boolean {
  if (!stdout.isTTY || env.CI) return false;
  if (platform === 'darwin' || platform === 'win32') return !env.SSH_CONNECTION;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

/** Opens the desktop's browser; resolves to whether that seems to have worked. */
export function openBrowser(url: string, { env }: Io, platform: NodeJS.Platform = process.platform): Promise<boolean> {
  const [command, ...args] =
    platform === 'darwin'
      ? ['open']
      : platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler']
        : ['xdg-open'];
  return new Promise((resolve) => {
    const child = spawn(command!, [...args, url], { env: { ...env }, stdio: 'ignore', detached: true });
    // xdg-open stays until a browser that it started itself ends
    const timer = setTimeout(() => resolve(true), 2_000);
    const settle = (worked: boolean) => {
      clearTimeout(timer);
      resolve(worked);
    };
    child.on('error', () => settle(false));
    child.on('exit', (code) => settle(code === 0));
    child.unref();
  });
}
