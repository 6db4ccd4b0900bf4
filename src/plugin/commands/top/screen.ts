/** `top` on a terminal: redraws on every change, reads keys, and gives the terminal back as it was. */
import { emitKeypressEvents } from 'node:readline';
import type { ReadStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import type { Io } from '../../io.ts';
import { printableText, unguarded } from '../../render/printable.ts';
import { type Row, rowName, sortRows, type TopColumn, topColumns } from './columns.ts';
import { frame, type Paint, type View } from './frame.ts';

export interface ScreenActions {
  rows(): Row[];
  /** Lines for the panel; may be slow, may fail. */
  stack(row: Row): Promise<readonly string[]>;
  profile(row: Row): Promise<readonly string[]>;
  /** Sorted by this to begin with; undefined by name. */
  readonly sort: TopColumn | undefined;
}

const redrawMs = 100;
const csi = '\u001b[';
const alternateScreen = { enter: `${csi}?1049h`, leave: `${csi}?1049l` };
const style = (on: number, off: number) => (text: string) => `${csi}${on}m${text}${csi}${off}m`;
const colors: Paint = { bold: style(1, 22), inverse: style(7, 27), alarm: style(31, 39), dim: style(2, 22) };
const styles: Paint = { ...colors, alarm: style(1, 22) };

/** Runs until q, Ctrl-C or `io.signal`. */
export async function runScreen(actions: ScreenActions, io: Io): Promise<void> {
  const stdin = io.stdin as ReadStream;
  const terminal = unguarded(io.stdout) as NodeJS.WriteStream;
  const paint = io.env.NO_COLOR ? styles : colors;
  let view: View = { sort: actions.sort, selected: undefined, paused: false, panel: undefined, scrolled: 0 };
  let held: Row[] | undefined;
  let drawn = 0;
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const screen = createLogUpdate(terminal, { showCursor: false });

  const rows = () => held ?? actions.rows();
  const draw = (): void => {
    drawn = performance.now();
    // log-update ends with a newline: with all rows in use that would push the heading off
    const rowsUsed = (terminal.rows ?? 24) - 1;
    const size = { columns: terminal.columns ?? 80, rows: rowsUsed };
    screen(printableText(frame(rows(), view, size, io.now(), paint).join('\n'), true));
  };
  /** At most ten times a second, however many rows change. */
  const redraw = (): void => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        draw();
      },
      Math.max(0, redrawMs - (performance.now() - drawn)),
    );
  };
  const change = (next: Partial<View>): void => {
    view = { ...view, ...next };
    draw();
  };
  const show = async (what: string, ask: (row: Row) => Promise<readonly string[]>): Promise<void> => {
    const row = rows().find((candidate) => rowName(candidate) === view.selected) ?? sortRows(rows(), view.sort)[0];
    if (!row) return;
    const name = rowName(row);
    const waiting = [`${what} of ${name} …`];
    change({ panel: waiting, scrolled: 0, selected: name });
    const lines = await ask(row).catch((error: Error) => [error.message]);
    // closed, or another was asked for meanwhile
    if (view.panel === waiting && !over)
      change({ panel: [`${what} of ${name} (esc closes, page up and down scroll)`, ...lines] });
  };
  const move = (by: number): void => {
    const names = sortRows(rows(), view.sort).map(rowName);
    const index = names.indexOf(view.selected ?? names[0] ?? '');
    change({ selected: names[Math.min(names.length - 1, Math.max(0, index + by))] });
  };

  let quit = (): void => {};
  const ended = new Promise<void>((done) => {
    quit = done;
  });
  const bySelf: Readonly<Record<string, () => void>> = {
    q: () => quit(),
    up: () => move(-1),
    k: () => move(-1),
    down: () => move(1),
    j: () => move(1),
    escape: () => change({ panel: undefined }),
    pageup: () => change({ scrolled: Math.max(0, view.scrolled - 5) }),
    pagedown: () => change({ scrolled: Math.min((view.panel?.length ?? 1) - 1, view.scrolled + 5) }),
    space: () => {
      held = held ? undefined : actions.rows();
      change({ paused: held !== undefined });
    },
    s: () => void show('stack', actions.stack),
    p: () => void show('CPU profile', actions.profile),
    a: () => change({ sort: undefined }),
    ...Object.fromEntries(topColumns.map((column) => [column.key, () => change({ sort: column })])),
  };
  const onKey = (_: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (key.ctrl && key.name === 'c') quit();
    else bySelf[key.name ?? '']?.();
  };

  const ticking = setInterval(redraw, 250);
  terminal.write(alternateScreen.enter);
  emitKeypressEvents(stdin);
  stdin.setRawMode?.(true);
  stdin.resume();
  stdin.on('keypress', onKey);
  terminal.on('resize', draw);
  io.signal.addEventListener('abort', () => quit(), { once: true });
  try {
    draw();
    await ended;
  } finally {
    over = true;
    clearInterval(ticking);
    clearTimeout(timer);
    stdin.off('keypress', onKey);
    stdin.setRawMode?.(false);
    stdin.pause();
    terminal.off('resize', draw);
    screen.done();
    terminal.write(alternateScreen.leave);
  }
}
