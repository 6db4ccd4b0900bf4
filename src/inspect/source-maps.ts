import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AnyMap, originalPositionFor, type SourceMapInput, type TraceMap } from '@jridgewell/trace-mapping';
import type { Frame } from '../protocol/replies.ts';
import { filePath } from './frames.ts';

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
    if (!map) return frame;
    const { source, line, column } = originalPositionFor(map, { line: frame.line, column: frame.column - 1 });
    if (source === null) return frame;
    const { file, line: generatedLine, column: generatedColumn } = frame;
    return {
      ...frame,
      file: filePath(source),
      line,
      column: column + 1,
      generated: { file, line: generatedLine, column: generatedColumn },
    };
  }

  #mapOf(file: string, sourceMapUrl: string | undefined): Promise<TraceMap | undefined> {
    if (!file.startsWith('/')) return Promise.resolve(undefined);
    let map = this.#maps.get(file);
    if (!map) {
      if (this.#maps.size >= scripts) return Promise.resolve(undefined);
      map = this.#load(file, sourceMapUrl).catch(() => undefined);
      this.#maps.set(file, map);
    }
    return map;
  }

  async #load(file: string, known: string | undefined): Promise<TraceMap | undefined> {
    const url = known ?? sourceMapUrlOf(this.#read(file));
    if (!url) return undefined;
    const inline = /^data:application\/json[^,]*?(;base64)?,/.exec(url);
    const mapFile = inline ? file : resolve(dirname(file), filePath(decodeURI(url)));
    const text = inline ? decodeData(url.slice(inline[0].length), inline[1] !== undefined) : this.#read(mapFile);
    // an optional first line that keeps browsers from running the map as a script
    const json = JSON.parse(text.replace(/^\)\]\}'[^\n]*\n/, '')) as SourceMapInput;
    return new AnyMap(json, pathToFileURL(mapFile).href);
  }

  #read(path: string): string {
    const inRoot = this.#root + path;
    const { size } = statSync(inRoot);
    if (size > fileBytes) throw new Error(`${path} is larger than ${fileBytes} bytes`);
    return readFileSync(inRoot, 'utf8');
  }
}

function sourceMapUrlOf(text: string): string | undefined {
  const at = Math.max(text.lastIndexOf('//# sourceMappingURL='), text.lastIndexOf('//@ sourceMappingURL='));
  return at < 0 ? undefined : /^\S+/.exec(text.slice(at + '//# sourceMappingURL='.length))?.[0];
}

function decodeData(data: string, base64: boolean): string {
  return base64 ? Buffer.from(data, 'base64').toString('utf8') : decodeURIComponent(data);
}
