/** `name: value` lines; a value that is not known is said to be so, never left out or zero. */
export function line(name: string, value: string | number | null): string {
  return `${name}: ${value ?? 'unknown'}`;
}

/** Applies `format` to what is known. */
export function known<T>(value: T | null, format: (value: T) => string): string | null {
  return value === null ? null : format(value);
}
