/** A pod in virtual time: a kernel with names and one known port, and processes that run the real reducers. */
import {
  beginElection,
  type ElectionEffect,
  type ElectionEvent,
  elect,
} from '../../../src/agent/membership/election.ts';
import { beginLeadership, type LeadershipEvent, lead } from '../../../src/agent/membership/leadership.ts';
import { type Machine, run } from '../../../src/agent/membership/machine.ts';

type Holder = object;

export class Model {
  now = 0;
  /** Who holds a name or the known port. */
  readonly held = new Map<string, Holder>();
  readonly processes: ModelProcess[] = [];
  readonly #due: { at: number; act: () => void }[] = [];
  readonly #links: { name: string; to: Holder; lost: () => void }[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  after(ms: number, act: () => void): void {
    this.#due.push({ at: this.now + ms, act });
  }

  /** Lets time pass; `look` is called after everything that happens. */
  pass(ms: number, look: () => void): void {
    const end = this.now + ms;
    while (true) {
      const [next] = this.#due.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at);
      if (!next) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.act();
      look();
    }
    this.now = end;
  }

  take(name: string, holder: Holder): boolean {
    if (this.held.has(name)) return false;
    this.held.set(name, holder);
    return true;
  }

  drop(name: string, holder: Holder): void {
    if (this.held.get(name) === holder) this.held.delete(name);
    for (const link of this.#links.filter((one) => one.name === name && one.to === holder)) {
      this.#links.splice(this.#links.indexOf(link), 1);
      this.after(1, link.lost);
    }
  }

  dropAll(holder: Holder): void {
    for (const name of [...this.held.keys()]) if (this.held.get(name) === holder) this.drop(name, holder);
  }

  link(name: string, lost: () => void): boolean {
    const to = this.held.get(name);
    if (to) this.#links.push({ name, to, lost });
    return to !== undefined;
  }

  workerStartMs(): number {
    return 40 + this.#random() * 200;
  }
}

const knownPort = 'port';
const leaderName = 'leader';
const workerPaces = { firstMs: 25, lastMs: 5_000 };
const standbyPaces = { firstMs: 100, lastMs: 300_000 };

export class ModelProcess {
  readonly model: Model;
  readonly container: string;
  readonly mode: 'watch' | 'standby';
  alive = true;
  paused = false;
  /** Set while its worker watches. */
  worker: { leadership: Machine<{ is: string }, LeadershipEvent> | undefined } | undefined;
  leadership: Machine<{ is: string }, LeadershipEvent> | undefined;
  #waiting: (() => void)[] = [];

  constructor(model: Model, container: string, mode: 'watch' | 'standby') {
    this.model = model;
    this.container = container;
    this.mode = mode;
    model.processes.push(this);
    if (mode === 'standby') this.leadership = this.#contend(this, standbyPaces, (act) => this.#main(act));
    else {
      const watched = model.held.has(`watcher ${container}`);
      run(beginElection(watched), elect, (effect, send) => this.#act(effect, send));
    }
  }

  kill(): void {
    this.alive = false;
    if (this.worker) this.model.dropAll(this.worker);
    this.worker = undefined;
    this.model.dropAll(this);
  }

  resume(): void {
    this.paused = false;
    for (const act of this.#waiting.splice(0)) this.#main(act);
  }

  /** What the main thread does when it next turns. */
  #main(act: () => void): void {
    if (!this.alive) return;
    if (this.paused) this.#waiting.push(act);
    else act();
  }

  #act(effect: ElectionEffect, send: (event: ElectionEvent) => void): void {
    const { model, container } = this;
    const candidate = `candidate ${container}`;
    const watcher = `watcher ${container}`;
    if (effect.do === 'take-candidacy') send({ type: model.take(candidate, this) ? 'named' : 'name-taken' });
    else if (effect.do === 'drop-candidacy') model.drop(candidate, this);
    else if (effect.do === 'start-worker') model.after(model.workerStartMs(), () => this.#startWorker(watcher, send));
    else if (effect.do === 'wait') model.after(effect.ms, () => this.#main(() => send({ type: 'due' })));
    else if (effect.do === 'link') {
      const linked = model.link(watcher, () => this.#main(() => send({ type: 'link-lost' })));
      model.after(1, () => this.#main(() => send({ type: linked ? 'linked' : 'link-refused' })));
    }
  }

  #startWorker(name: string, send: (event: ElectionEvent) => void): void {
    if (!this.alive) return;
    const worker: NonNullable<typeof this.worker> = { leadership: undefined };
    if (this.model.take(name, worker)) {
      this.worker = worker;
      worker.leadership = this.#contend(worker, workerPaces, (act) => void (this.worker === worker && act()));
      this.#main(() => send({ type: 'worker-watches' }));
    } else this.#main(() => send({ type: 'worker-second' }));
  }

  #contend(holder: Holder, paces: typeof workerPaces, turn: (act: () => void) => void) {
    const { model } = this;
    return run(
      beginLeadership,
      (state, event: LeadershipEvent) => lead(state, event, paces),
      (effect, send) => {
        if (effect.do === 'listen') send({ type: model.take(knownPort, holder) ? 'listened' : 'taken' });
        else if (effect.do === 'hold-name') model.take(leaderName, holder);
        else if (effect.do === 'wait') model.after(effect.ms, () => turn(() => send({ type: 'due' })));
        else if (effect.do === 'link') {
          const linked = model.link(leaderName, () => turn(() => send({ type: 'link-lost' })));
          model.after(1, () => turn(() => send({ type: linked ? 'linked' : 'link-refused' })));
        }
      },
    );
  }
}

/** A small generator with a seed, so that a failure can be run again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}
