import { basename } from 'node:path';
import { duration } from '../../../protocol/text/quantities.ts';
import type { Io } from '../../io.ts';
import { hasDisplay, openBrowser } from './browser.ts';
import { idleMs, type Served } from './loopback.ts';
import { serveProfile } from './server.ts';

/** Serves a file to the browser and opens it where there is a display; says where it is in any case. */
export async function showInBrowser(path: string, io: Io, signal: AbortSignal): Promise<Served> {
  const { speedscopeFiles } = await import('./speedscope-files.ts');
  const served = await serveProfile({ path, files: speedscopeFiles(), signal });
  const opened = hasDisplay(io) && (await openBrowser(served.url, io));
  io.stderr.write(`${basename(path)} is shown at ${served.url}${opened ? '' : '\nopen that address in a browser'}\n`);
  return served;
}

/** The same, until Ctrl-C or until nobody looks any more. */
export async function showUntilClosed(path: string, io: Io): Promise<number> {
  // a first Ctrl-C may have ended the capture early; then it is the next one that counts here
  const signal = io.signal.aborted ? (io.abandon ?? io.signal) : io.signal;
  const { closed } = await showInBrowser(path, io, signal);
  io.stderr.write(`Ctrl-C ends it; so do ${duration(idleMs)} without a look\n`);
  const { idle } = await closed;
  if (idle) io.stderr.write('nobody looked at it any more; it is no longer served\n');
  return 0;
}
