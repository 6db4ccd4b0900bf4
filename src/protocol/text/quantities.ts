/** Quantities in words: bytes as gops prints them, durations as people say them. */

const units = [' bytes', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;

function scaled(bytes: number, digits: number): string | undefined {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? undefined : `${value.toFixed(digits)}${units[unit]}`;
}

/** `136.80KB (140088 bytes)`, as gops' formatBytes does. */
export function bytesWithExact(bytes: number): string {
  const short = scaled(bytes, 2);
  return short === undefined ? `${bytes} bytes` : `${short} (${bytes} bytes)`;
}

/** `136.8KB`, for columns. */
export function bytesShort(bytes: number): string {
  return scaled(bytes, 1) ?? `${Math.round(bytes)}B`;
}

/** `850µs`, `12.3ms`, `4.20s`, `3m20s`, `2h05m`, `3d04h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1000)}µs`;
  if (milliseconds < 1000) return `${milliseconds < 100 ? milliseconds.toFixed(1) : Math.round(milliseconds)}ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(2)}s`;
  const seconds = Math.floor(milliseconds / 1000);
  const pair = (large: number, small: number, unit: string, sub: string) =>
    `${large}${unit}${String(small).padStart(2, '0')}${sub}`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), seconds % 60, 'm', 's');
  if (seconds < 86_400) return pair(Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), 'h', 'm');
  return pair(Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), 'd', 'h');
}

/** Elapsed time as `ps` and gops print it: `[[DD-]hh:]mm:ss`. */
export function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  if (days > 0) return `${two(days)}-${two(hours)}:${rest}`;
  return hours > 0 ? `${two(hours)}:${rest}` : rest;
}

/** `1 file`, `2 files`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

/** `12.3%` of a share between 0 and 1. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
