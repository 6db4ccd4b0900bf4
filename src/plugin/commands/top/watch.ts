/** Polls every process of a selection over one kept-alive connection each, and keeps the latest row of each. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asNodeopsError } from '../../../protocol/errors.ts';
import type { AgentClient } from '../../client/client.ts';
import { targetName } from '../../render/target-name.ts';
import type { Target } from '../../target.ts';
import type { Row } from './columns.ts';
import { type Poll, toSample } from './sample.ts';

export interface WatchOptions {
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  /** Called whenever a row has changed. */
  readonly onRow: (row: Row) => void;
}

/** After a failure the next try waits this long, twice as long each time up to the last. */
const backoffMs = [1_000, 2_000, 4_000, 8_000] as const;

export class Watch {
  readonly #rows = new Map<string, Row>();
  readonly #watched = new Map<string, { target: Target; stop: AbortController }>();
  readonly #options: WatchOptions;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Watches exactly these from now on: new ones are added, missing ones are let go. */
  set(targets: readonly Target[]): void {
    const wanted = new Map(targets.map((target) => [keyOf(target), target]));
    for (const [key, { stop }] of this.#watched) {
      if (wanted.has(key)) continue;
      stop.abort();
      this.#watched.delete(key);
      this.#rows.delete(key);
    }
    for (const [key, target] of wanted) {
      if (this.#watched.has(key)) continue;
      const stop = new AbortController();
      this.#watched.set(key, { target, stop });
      this.#rows.set(key, { target: targetName(target), sample: undefined, problem: undefined });
      void this.#poll(key, target, AbortSignal.any([stop.signal, this.#options.signal]));
    }
  }

  rows(): Row[] {
    return [...this.#rows.values()];
  }

  /** The target behind a row, to ask it something else. */
  targetOf(row: Row): Target | undefined {
    // by name: the row may be an older one, of a screen that is paused
    const name = nameOf(row);
    for (const [key, current] of this.#rows) if (nameOf(current) === name) return this.#watched.get(key)?.target;
    return undefined;
  }

  /** Resolves when every process was asked once, or `signal` is aborted. */
  async first(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.rows().some(({ sample, problem }) => !sample && !problem))
      await sleep(20, undefined, { signal }).catch(() => {});
  }

  async #poll(key: string, target: Target, signal: AbortSignal): Promise<void> {
    const { AgentClient } = await import('../../client/client.ts');
    const client = new AgentClient(target.endpoint);
    let before: Poll | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const poll = await ask(client, target, this.#options.intervalMs, signal);
        this.#set(key, { target: targetName(target, poll.stats), sample: toSample(poll, before), problem: undefined });
        before = poll;
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        const row = this.#rows.get(key)!;
        this.#set(key, { ...row, sample: undefined, problem: asNodeopsError(error) });
        before = undefined;
        const wait = backoffMs[Math.min(failures++, backoffMs.length - 1)]!;
        await sleep(wait, undefined, { signal }).catch(() => {});
      }
    }
    client.close();
  }

  #set(key: string, row: Row): void {
    if (!this.#watched.has(key)) return;
    this.#rows.set(key, row);
    this.#options.onRow(row);
  }
}

/** The agent watches its event loop for most of the interval: no time goes unseen, and the poll is the clock. */
async function ask(client: AgentClient, { process }: Target, intervalMs: number, signal: AbortSignal): Promise<Poll> {
  const started = performance.now();
  const window = Math.max(50, Math.round(intervalMs * 0.9));
  const stats = await client.ask('stats', { window }, { process, signal });
  const memory = await client.ask('memstats', {}, { process, signal });
  const left = intervalMs - (performance.now() - started);
  if (stats.stuck && left > 0) await sleep(left, undefined, { signal });
  return { atMs: performance.now(), stats, memory };
}

function nameOf({ target }: Row): string {
  return [target.namespace, target.pod ?? target.address, target.container, target.pid].join(' ');
}

function keyOf({ endpoint, process }: Target): string {
  return `${endpoint.pod?.namespace ?? ''} ${endpoint.name} ${process ?? ''}`;
}
