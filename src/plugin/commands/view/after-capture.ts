import type { CaptureName } from '../../../protocol/captures.ts';
import type { CapturedAll } from '../../captures/capture-all.ts';
import type { Io } from '../../io.ts';
import { hasDisplay } from './browser.ts';
import { isInteractive, type ViewOptions } from './view-file.ts';

/** What follows a saved capture on a terminal: a prompt for a profile, the browser for a trace, as gops does; else nothing. */
export async function afterCapture(
  capture: CaptureName,
  { outcomes, merged }: CapturedAll,
  options: ViewOptions,
  io: Io,
): Promise<number> {
  const only = outcomes.length === 1 ? outcomes[0]!.value : undefined;
  const path = merged?.file.path ?? only?.files[0]?.path;
  const profile = merged?.profile ?? only?.profile;
  if (!path) return 0;
  if (options.tool !== undefined) return (await import('./tool.ts')).runTool(options.tool, path, io);
  if (capture === 'trace')
    return hasDisplay(io) && !path.endsWith('.trace') ? (await import('./web.ts')).showUntilClosed(path, io) : 0;
  if (!profile || !isInteractive(io)) return 0;
  const { prompt } = await import('./prompt.ts');
  await prompt(profile, { path, sourceDirectory: options.sourceDirectory }, io);
  return 0;
}
