import { describe, expect, it } from 'vitest';
import { Model, ModelProcess, seeded } from './pod-model.ts';

const stranger = {};

function watchers(model: Model): number {
  const of = new Map<string, number>();
  for (const { container, worker } of model.processes) if (worker) of.set(container, (of.get(container) ?? 0) + 1);
  return Math.max(0, ...of.values());
}

/** Whether somebody holds the known port who can answer: a worker, or a main thread that turns. */
function isLed(model: Model): boolean {
  const leader = model.held.get('port');
  if (leader === undefined || leader === stranger) return false;
  return !(leader instanceof ModelProcess) || !leader.paused;
}

/** Starts, kills, pauses and resumes processes, and takes the port, at random. Throws what does not hold, with the seed. */
function play(seed: number, mode: 'watch' | 'standby'): void {
  const random = seeded(seed);
  const model = new Model(random);
  const look = () => expect(watchers(model), `seed ${seed}: watchers of a container`).toBeLessThanOrEqual(1);
  const alive = () => model.processes.filter((one) => one.alive);
  const some = () => alive()[Math.floor(random() * alive().length)];
  for (let event = 0; event < 40; event++) {
    const what = random();
    if (what < 0.45 || alive().length === 0) new ModelProcess(model, random() < 0.7 ? 'one' : 'two', mode);
    else if (what < 0.75) some()!.kill();
    else if (what < 0.85) some()!.paused = true;
    else if (what < 0.95) some()!.resume();
    else if (model.take('port', stranger)) model.after(random() * 300, () => model.drop('port', stranger));
    look();
    model.pass(random() * 500, look);
    // everything else has ended, or is let go
    if (random() < 0.8) continue;
    for (const one of alive()) one.resume();
    model.drop('port', stranger);
    model.pass(2_000, look);
    if (alive().length === 0) continue;
    expect(isLed(model), `seed ${seed}, event ${event}: nobody leads`).toBe(true);
    const containers = new Set(alive().map(({ container }) => container));
    if (mode === 'watch')
      for (const container of containers)
        expect(model.held.has(`watcher ${container}`), `seed ${seed}, event ${event}: nobody watches`).toBe(true);
  }
}

describe('a pod to which anything happens', () => {
  it.each(['watch', 'standby'] as const)(
    'has one watcher a container at most, and a leader within two seconds: %s',
    (mode) => {
      for (let seed = 1; seed <= 200; seed++) play(seed, mode);
    },
  );
});
