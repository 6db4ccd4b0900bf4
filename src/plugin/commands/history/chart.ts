/** One chart as SVG: lines over time with gaps where nothing is known, a limit, and bands where the loop stalled. */

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  /** Class that colours it. */
  readonly colour: 'one' | 'two' | 'three';
}
export interface Chart {
  readonly title: string;
  readonly times: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly lines: readonly Line[];
  readonly least: number;
  readonly limit: number | null;
  readonly text: (value: number) => string;
  readonly bands: readonly { readonly from: number; readonly to: number; readonly title: string }[];
}

const size = { width: 960, height: 150, left: 70, bottom: 20, top: 8 };
/** Samples further apart than this many usual distances have a gap between them. */
const gap = 3;

/** `limitShown`: whether the limit is a line of it. */
export function chartSvg(chart: Chart): { svg: string; limitShown: boolean } {
  const { times, from, to, lines, least, limit, text, bands, title } = chart;
  const highest = Math.max(least, ...lines.flatMap(({ values }) => values.filter((value) => value !== null)));
  // a limit far above would press everything flat
  const limitShown = limit !== null && limit <= highest * 4 ? limit : null;
  const top = Math.max(highest, limitShown ?? 0) * 1.05;
  const x = (time: number) =>
    round(size.left + (Math.max(0, time - from) / Math.max(1, to - from)) * (size.width - size.left));
  const y = (value: number) => round(size.top + (1 - value / top) * (size.height - size.top - size.bottom));
  const ticks = [0, 0.5, 1].map((share) => {
    const at = y(highest * share);
    return `<line class="grid" x1="${size.left}" x2="${size.width}" y1="${at}" y2="${at}"/><text x="${size.left - 6}" y="${at + 4}" text-anchor="end">${escapeHtml(text(highest * share))}</text>`;
  });
  const hours = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const at = from + (to - from) * share;
    return `<text x="${x(at)}" y="${size.height - 4}" text-anchor="${anchor}">${time(at)}</text>`;
  });
  const marks = bands.map((band) => {
    const width = Math.max(2, x(band.to) - x(band.from));
    return `<rect class="stall" x="${x(band.from)}" y="${size.top}" width="${width}" height="${size.height - size.top - size.bottom}"><title>${escapeHtml(band.title)}</title></rect>`;
  });
  const distance = usual(times);
  const drawn = lines.map(({ name, values, colour }) => {
    const path = times.reduce((d, time, index) => {
      const value = values[index] ?? null;
      if (value === null) return d;
      const joined = index > 0 && values[index - 1] !== null && time - times[index - 1]! <= distance * gap;
      return `${d}${joined ? 'L' : 'M'}${x(time)} ${y(value)}`;
    }, '');
    return `<path class="${colour}" d="${path}"><title>${escapeHtml(name)}</title></path>`;
  });
  const bound =
    limitShown === null
      ? ''
      : `<line class="limit" x1="${size.left}" x2="${size.width}" y1="${y(limitShown)}" y2="${y(limitShown)}"><title>limit ${escapeHtml(text(limitShown))}</title></line>`;
  const svg = `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(title)}">${marks.join('')}${ticks.join('')}${hours.join('')}${bound}${drawn.join('')}</svg>`;
  return { svg, limitShown: limitShown !== null };
}

/** The usual distance of two samples. */
function usual(times: readonly number[]): number {
  const distances = times.slice(1).map((time, index) => time - times[index]!);
  return distances.sort((one, other) => one - other)[Math.floor(distances.length / 2)] ?? 1_000;
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character]!);
}
