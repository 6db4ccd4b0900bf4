import type { Inspector } from './inspector.ts';
import type { Subject } from './subject.ts';

/** Longest source map URL that is kept; larger ones are inline maps of more than a production app has. */
const urlLength = 32 * 1024 * 1024;

/** Extensions that Node runs as they are on disk: for others what runs was compiled in memory, unless Node stripped its types. */
const asOnDisk = /\.[cm]?js$/;

/** Whether a script's map can only be known from V8, because what is on disk is not what runs. */
export function isCompiledInMemory(url: string): boolean {
  return /^(?:file:|\/|webpack-internal:)/.test(url) && (url.startsWith('webpack') || !asOnDisk.test(url));
}

/** What V8 tells of a script. */
export interface ScriptFacts {
  readonly url: string;
  /** Undefined where it has none, or one too large to be kept. */
  readonly sourceMapUrl: string | undefined;
}

/** Scripts that are remembered, and the longest source map URL that is: one at the script's end, not an inline map. */
const rememberedLimit = 1_000;
const rememberedLength = 1_024;

/** Of the main thread, as `scriptFacts` remembers them. */
export function knownScripts({ lastKnown }: Pick<Subject, 'lastKnown'>): Map<string, ScriptFacts> {
  const known = (lastKnown.get('scripts') as Map<string, ScriptFacts> | undefined) ?? new Map<string, ScriptFacts>();
  lastKnown.set('scripts', known);
  return known;
}

/**
 * Those scripts, by script id. V8 tells them only by listing every script (14 ms per 1,000 of them, in which the thread does nothing else)
 * with its debugger on, which throws away what it has optimised. So this is asked for nothing that can be known otherwise, and once.
 */
export async function scriptFacts(
  inspector: Inspector,
  scriptIds: ReadonlySet<string>,
  known: Map<string, ScriptFacts>,
): Promise<Map<string, ScriptFacts>> {
  const remembered = [...scriptIds].flatMap((id) => (known.has(id) ? [[id, known.get(id)!] as const] : []));
  const scripts = new Map<string, ScriptFacts>(remembered);
  if (scripts.size === scriptIds.size) return scripts;
  const stop = inspector.on(
    'Debugger.scriptParsed',
    ({ scriptId, url, sourceMapURL }: { scriptId: string; url: string; sourceMapURL?: string }) => {
      const sourceMapUrl = sourceMapURL && sourceMapURL.length < urlLength ? sourceMapURL : undefined;
      if (scriptIds.has(scriptId)) scripts.set(scriptId, { url, sourceMapUrl });
    },
  );
  try {
    await inspector.post('Debugger.enable', { maxScriptsCacheSize: 0 });
  } finally {
    stop();
    inspector.post('Debugger.disable').catch(() => {});
  }
  for (const [id, facts] of scripts)
    if (known.size < rememberedLimit && (facts.sourceMapUrl?.length ?? 0) <= rememberedLength) known.set(id, facts);
  return scripts;
}

/** Source map URLs of those scripts that have one, by script id. */
export async function sourceMapUrls(
  inspector: Inspector,
  scriptIds: ReadonlySet<string>,
  known: Map<string, ScriptFacts>,
): Promise<Map<string, string>> {
  const facts = await scriptFacts(inspector, scriptIds, known);
  return new Map([...facts].flatMap(([id, { sourceMapUrl }]) => (sourceMapUrl ? [[id, sourceMapUrl] as const] : [])));
}
