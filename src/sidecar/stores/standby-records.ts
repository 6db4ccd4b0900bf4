/**
 * The black boxes of processes whose agents sleep while the sidecar looks after them, each in the store of its container: what the
 * awake agent of a container does where there is no sidecar (src/agent/crash/on-standby.ts).
 */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { adoptBoxes } from '../../agent/crash/box.ts';
import { Kept } from '../../agent/crash/kept.ts';
import { type SleepingWatch, watchSleeping } from '../../agent/crash/on-standby.ts';
import type { Resident } from '../../agent/resident.ts';
import type { KeptSettings } from '../../agent/settings/kept-settings.ts';
import { containerName, containersSeen } from './container-stores.ts';

const everyMs = 1_000;

/** Goes on as long as the sidecar runs. */
export function watchContainers(settings: KeptSettings, residents: () => readonly Resident[]): void {
  const watched = new Map<string, { kept: Kept; watch: SleepingWatch }>();
  const asleep = (): Resident[] => residents().filter(({ asleep }) => asleep && !asleep.open);

  function begin(container: string): void {
    const base = join(settings.base, container);
    // one without a folder was given no artifact volume
    if (watched.size >= containersSeen || !lstatSync(base).isDirectory()) return;
    const kept = new Kept({ ...settings, base });
    const own = () => asleep().filter(({ info }) => info.container === container && info.uid === process.getuid?.());
    watched.set(container, { kept, watch: watchSleeping(kept, own) });
  }

  function second(): void {
    for (const { info } of asleep()) {
      const { container } = info;
      if (container !== null && containerName.test(container) && !watched.has(container))
        attempt(() => begin(container));
    }
    for (const { kept, watch } of watched.values())
      attempt(() => {
        if (watch.second(null, null)) adoptBoxes(kept, null, () => null);
      });
  }

  setInterval(second, everyMs).unref();
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // no folder yet, no room, another user's: it is tried again, and `artifacts` says what is in the way
  }
}
