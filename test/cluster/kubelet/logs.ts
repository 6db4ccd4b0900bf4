/** What one run of a container wrote, newest last, bounded. */
import { EventEmitter } from 'node:events';
import { queued } from '../pace.ts';

/** Kept of each run; older lines are dropped. */
const limitBytes = 2 * 1024 * 1024;
/** A line longer than this is split, as the CRI does. */
const lineBytes = 16 * 1024;

export interface LogLine {
  readonly at: Date;
  readonly text: string;
}

export interface LogOptions {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly since: Date | undefined;
  readonly timestamps: boolean;
}

export class ContainerLog {
  #lines: LogLine[] = [];
  #bytes = 0;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #ended = false;
  readonly #toReaders = queued('logs');

  /** Takes a stream of stdout or stderr; its lines are interleaved with those of others. */
  attach(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop()!;
      for (const part of parts) this.#push(`${part}\n`);
      while (rest.length > lineBytes) {
        this.#push(rest.slice(0, lineBytes));
        rest = rest.slice(lineBytes);
      }
    });
    stream.on('end', () => rest && this.#push(rest));
  }

  #push(text: string): void {
    const line = { at: new Date(), text };
    this.#toReaders(() => this.#show(line));
  }

  #show(line: LogLine): void {
    const { text } = line;
    this.#lines.push(line);
    this.#bytes += text.length;
    while (this.#bytes > limitBytes) this.#bytes -= this.#lines.shift()!.text.length;
    this.#events.emit('line', line);
  }

  end(): void {
    this.#toReaders(() => {
      this.#ended = true;
      this.#events.emit('end');
    });
  }

  read({ tailLines, limitBytes: limit, since, timestamps }: LogOptions): string {
    let lines = since ? this.#lines.filter(({ at }) => at >= since) : this.#lines;
    if (tailLines !== undefined) lines = tailLines === 0 ? [] : lines.slice(-tailLines);
    const text = lines.map((line) => format(line, timestamps)).join('');
    return limit === undefined ? text : Buffer.from(text).subarray(0, limit).toString();
  }

  /** Calls `onLine` for each further line and `onEnd` once when the run is over; returns what stops it. */
  follow(timestamps: boolean, onLine: (text: string) => void, onEnd: () => void): () => void {
    if (this.#ended) {
      onEnd();
      return () => {};
    }
    const listener = (line: LogLine) => onLine(format(line, timestamps));
    this.#events.on('line', listener).once('end', onEnd);
    return () => this.#events.off('line', listener).off('end', onEnd);
  }
}

function format({ at, text }: LogLine, timestamps: boolean): string {
  return timestamps ? `${at.toISOString().replace('Z', '000000Z')} ${text}` : text;
}
