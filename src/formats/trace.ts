/** Chrome's trace-event JSON, written as events arrive: what Perfetto and chrome://tracing read. */

/** One event of `NodeTracing.dataCollected`; the fields that every event has. */
export interface TraceEvent {
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly name?: string;
  readonly cat?: string;
  /** Microseconds. */
  readonly ts?: number;
  readonly args?: unknown;
  readonly [field: string]: unknown;
}

export interface TraceLimits {
  /** Bytes of events written; later ones are counted and dropped. @default 1073741824 */
  readonly limitBytes?: number;
}

/**
 * Gives the text of a trace piece by piece; whoever writes it keeps nothing. What was written plus `end()` is valid JSON at
 * any time, also when the trace was stopped early or nothing was traced.
 */
export class TraceWriter {
  readonly #limitBytes: number;
  #started = false;
  #bytes = 0;
  #events = 0;
  #dropped = 0;

  constructor({ limitBytes = 1024 ** 3 }: TraceLimits = {}) {
    this.#limitBytes = limitBytes;
  }

  /** Events written. */
  get events(): number {
    return this.#events;
  }
  /** Events left out because of the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The text that the next events add to the file. */
  write(events: readonly TraceEvent[]): string {
    let text = this.#start();
    for (const event of events) {
      const json = JSON.stringify(event);
      const bytes = Buffer.byteLength(json) + 2;
      if (this.#dropped > 0 || this.#bytes + bytes > this.#limitBytes) {
        this.#dropped++;
        continue;
      }
      text += (this.#events > 0 ? ',\n' : '\n') + json;
      this.#events++;
      this.#bytes += bytes;
    }
    return text;
  }

  /** The text that ends the file. `metadata` says what was traced and how it ended. */
  end(metadata: Readonly<Record<string, unknown>> = {}): string {
    const dropped = this.#dropped > 0 ? { 'events-dropped': this.#dropped } : {};
    return `${this.#start()}\n],"metadata":${JSON.stringify({ ...metadata, ...dropped })}}\n`;
  }

  #start(): string {
    if (this.#started) return '';
    this.#started = true;
    return '{"traceEvents":[';
  }
}
