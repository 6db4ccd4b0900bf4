/** `name: value` lines; a value that is not known is said to be so, never left out or zero. */
export function line(name: string, value: string | number | null): string {
  return `${name}: ${typeof value === 'string' ? oneLine(value) : (value ?? 'unknown')}`;
}

/** Whoever starts a process says what it is called: nothing in it may begin a line or move the cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** Applies `format` to what is known. */
export function known<T>(value: T | null, format: (value: T) => string): string | null {
  return value === null ? null : format(value);
}
