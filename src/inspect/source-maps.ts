import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TraceMap } from '@jridgewell/trace-mapping';
import type { Frame } from '../protocol/replies.ts';
import { originalFrame } from '../source-maps/frames.ts';
import { decodeDataUrl, mapPathOf, parseSourceMap, rememberText, sourceMappingUrl } from '../source-maps/text.ts';

/** A script or map larger than this is not read: the frame stays as it runs. */
const fileBytes = 32 * 1024 * 1024;
/** Scripts of one reply that are looked up. */
const scripts = 32;

/** Puts frames where their source was written. One for one reply: it keeps what it read. */
export class SourceMaps {
  readonly #root: string;
  readonly #maps = new Map<string, Promise<TraceMap | undefined>>();

  /** `root`: directory that paths of the process start from, such as `/proc/PID/root`. */
  constructor(root: string) {
    this.#root = root;
  }

  /** `sourceMapUrl`: as V8 knows it, for a script that was compiled in memory; else it is looked for in the file. */
  async original(frame: Frame, sourceMapUrl?: string): Promise<Frame> {
    const map = await this.#mapOf(frame.file, sourceMapUrl);
    return (map && originalFrame(map, frame)) ?? frame;
  }

  #mapOf(file: string, sourceMapUrl: string | undefined): Promise<TraceMap | undefined> {
    if (!file.startsWith('/') && !(sourceMapUrl && file.startsWith('webpack-internal:')))
      return Promise.resolve(undefined);
    let map = this.#maps.get(file);
    if (!map) {
      if (this.#maps.size >= scripts) return Promise.resolve(undefined);
      map = this.#load(file, sourceMapUrl).catch(() => undefined);
      this.#maps.set(file, map);
    }
    return map;
  }

  async #load(file: string, known: string | undefined): Promise<TraceMap | undefined> {
    const script = known === undefined ? this.#read(file) : undefined;
    const url = known ?? sourceMappingUrl(script!);
    const inline = url && decodeDataUrl(url);
    const linked = url && !inline ? mapPathOf(url) : undefined;
    const beside = `${file}.map`;
    const [mapFile, text] = inline
      ? [file, inline]
      : this.#first([...(linked ? [resolve(dirname(file), linked)] : []), ...(known ? [] : [beside])]);
    if (text === undefined) return undefined;
    const map = parseSourceMap(text, mapFile.startsWith('/') ? pathToFileURL(mapFile).href : mapFile, fileBytes);
    if (script !== undefined) rememberText(map, script);
    return map;
  }

  /** The first of these files that can be read. */
  #first(paths: readonly string[]): [path: string, text: string | undefined] {
    for (const path of paths)
      try {
        return [path, this.#read(path)];
      } catch {
        // the next may be there
      }
    return ['', undefined];
  }

  #read(path: string): string {
    const inRoot = this.#root + path;
    const { size } = statSync(inRoot);
    if (size > fileBytes) throw new Error(`${path} is larger than ${fileBytes} bytes`);
    return readFileSync(inRoot, 'utf8');
  }
}
