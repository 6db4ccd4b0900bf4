/** `bundle --from FILE`: in the browser, or in a few lines. */
import { basename } from 'node:path';
import { bytesShort, duration } from '../../../protocol/text/quantities.ts';
import { type Io, write } from '../../io.ts';
import { hasDisplay, openBrowser } from '../view/browser.ts';
import { idleMs } from '../view/loopback.ts';
import type { Manifest } from './contents.ts';
import { readManifest } from './read.ts';
import { serveBundle } from './serve.ts';

/** Serves it until Ctrl-C where somebody sits at a terminal; prints a summary otherwise, or without `open`. */
export async function showBundle(path: string, { open }: { open: boolean }, io: Io): Promise<number> {
  const manifest = await readManifest(path);
  if (!open || io.stdout.isTTY !== true) {
    await write(io.stdout, summaryText(manifest));
    return 0;
  }
  const { url, closed } = await serveBundle(path, io.signal);
  const opened = hasDisplay(io) && (await openBrowser(url, io));
  io.stderr.write(`${basename(path)} is shown at ${url}${opened ? '' : '\nopen that address in a browser'}\n`);
  io.stderr.write(`Ctrl-C ends it; so do ${duration(idleMs)} without a look\n`);
  const { idle } = await closed;
  if (idle) io.stderr.write('nobody looked at it any more; it is no longer served\n');
  return 0;
}

export function summaryText({ at, pluginVersion, subjects }: Manifest): string {
  const lines = [`bundle of ${at}${pluginVersion ? `, made by kubectl-nodeops ${pluginVersion}` : ''}`];
  for (const { kind, name, files, missing } of subjects) {
    lines.push('', name.startsWith(kind) ? name : `${kind} ${name}`);
    for (const { what, path, bytes } of files) lines.push(`  ${what}: ${path} (${bytesShort(bytes)})`);
    for (const { what, reason } of missing) lines.push(`  ${what}: could not be had: ${reason}`);
  }
  return lines.map((line) => `${plain(line)}\n`).join('');
}

/** A bundle may come from anywhere, and is printed on a terminal: nothing in it may move the cursor. */
function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
