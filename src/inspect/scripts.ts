import type { Inspector } from './inspector.ts';

/** Longest source map URL that is kept; larger ones are inline maps of more than a production app has. */
const urlLength = 32 * 1024 * 1024;

/** Extensions that Node runs as they are on disk: for others what runs was compiled in memory, unless Node stripped its types. */
const asOnDisk = /\.[cm]?js$/;

/** Whether a script's map can only be known from V8, because what is on disk is not what runs. */
export function isCompiledInMemory(url: string): boolean {
  return (url.startsWith('file:') || url.startsWith('/')) && !asOnDisk.test(url);
}

/**
 * Source map URLs of those scripts, by script id. V8 tells them only by listing every script (14 ms per 1,000 of them, in
 * which the thread does nothing else), so this is asked for nothing that can be read from disk.
 */
export async function sourceMapUrls(inspector: Inspector, scriptIds: Set<string>): Promise<Map<string, string>> {
  const urls = new Map<string, string>();
  if (scriptIds.size === 0) return urls;
  const stop = inspector.on('Debugger.scriptParsed', (script: { scriptId: string; sourceMapURL?: string }) => {
    const { scriptId, sourceMapURL } = script;
    if (scriptIds.has(scriptId) && sourceMapURL && sourceMapURL.length < urlLength) urls.set(scriptId, sourceMapURL);
  });
  try {
    await inspector.post('Debugger.enable', { maxScriptsCacheSize: 0 });
  } finally {
    stop();
    inspector.post('Debugger.disable').catch(() => {});
  }
  return urls;
}
