/** Why a figure is missing. `inapplicable`: nothing of the kind is there, such as a limit of a process without one. */
export interface Missing {
  readonly missing: string;
  readonly inapplicable?: boolean;
}
/** `high` differs from `low` where the figure is known within bounds only. */
export interface Figure {
  readonly low: number;
  readonly high: number;
}
/** A version instead of a figure. */
export interface Version {
  readonly version: string;
}
export type Measured = Missing | Figure | Version;
