/** `Warning` headers, which kubectl and client libraries print. */
import type { ServerResponse } from 'node:http';

/** When the texts of an answer are longer than this in all, each is cut. */
const limits = { total: 4 * 1024, each: 256 };

/** Collects texts for one answer; a text is said once. */
export class Warnings {
  readonly #texts = new Set<string>();

  readonly add = (text: string): void => {
    this.#texts.add(text);
  };

  writeTo(response: ServerResponse): void {
    if (this.#texts.size === 0) return;
    const texts = [...this.#texts];
    const isLong = texts.reduce((sum, text) => sum + text.length, 0) > limits.total;
    let left = limits.total;
    const values: string[] = [];
    for (const text of texts) {
      const shown = isLong ? text.slice(0, limits.each) : text;
      left -= shown.length;
      if (left < 0) break;
      values.push(`299 - "${headerText(shown)}"`);
    }
    response.setHeader('warning', values);
  }
}

/** As a quoted string; header bytes are the text's UTF-8, which Node takes as Latin-1. */
function headerText(text: string): string {
  const clean = text.replace(/[\u0000-\u001f\u007f]/g, ' ').replace(/["\\]/g, '\\$&');
  return Buffer.from(clean).toString('latin1');
}
