/** A growing list of bytes of a file, without the copy that growing an array takes. */

const perBlock = 65_536;

export class Offsets {
  length = 0;
  readonly #blocks: Uint32Array[] = [];

  push(offset: number): void {
    const at = this.length % perBlock;
    if (at === 0) this.#blocks.push(new Uint32Array(perBlock));
    this.#blocks[this.#blocks.length - 1]![at] = offset;
    this.length++;
  }

  get(index: number): number {
    return this.#blocks[Math.floor(index / perBlock)]![index % perBlock]!;
  }
}
