/** A terminal as an SVG picture: text that can be selected, on light and dark pages. */

const cell = { width: 8.4, height: 19 };
const margin = { x: 18, top: 46, bottom: 16 };

/** The first line is what was typed. */
export function terminalSvg(lines: readonly string[], title: string): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const [width, height] = [
    Math.ceil(columns * cell.width + 2 * margin.x),
    lines.length * cell.height + margin.top + margin.bottom,
  ];
  const rows = lines.map((line, row) => {
    const y = margin.top + (row + 0.75) * cell.height;
    const kind = row === 0 ? ' class="typed"' : /^\d+\. /.test(line) ? ' class="found"' : '';
    return line === '' ? [] : [`<text x="${margin.x}" y="${y}"${kind} xml:space="preserve">${escaped(line)}</text>`];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d8dee9}.typed{fill:#a3be8c}.found{fill:#fff;font-weight:bold}</style>',
    `<rect width="${width}" height="${height}" rx="8" fill="#20242c"/>`,
    ...['#bf616a', '#ebcb8b', '#a3be8c'].map(
      (fill, at) => `<circle cx="${margin.x + 6 + at * 20}" cy="20" r="6" fill="${fill}"/>`,
    ),
    ...rows.flat(),
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
