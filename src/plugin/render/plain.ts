/** Whoever starts a process names it: nothing in a name may move the cursor. */
export function plain(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
