import type { Column } from './columns.ts';

/** How the reply of an operation is shown: at length for one target, as a row among many. */
export interface View<T> {
  /** Lines for one target. */
  text(reply: T): string[];
  /** Columns of the table over targets; absent where a reply has no short form and blocks follow each other. */
  readonly columns?: readonly Column<T>[];
}
