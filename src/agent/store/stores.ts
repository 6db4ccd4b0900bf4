/** What containers have kept, seen by somebody who is not the agent of one of them: a sidecar, or what is attached. */
import type { KeptArtifact } from '../../protocol/history.ts';
import type { OpenFile } from './open-file.ts';

/** `NAME` is what the artifact's own container calls it; `CONTAINER/NAME` is taken too, and is one container's only. */
export interface Stores {
  /** Where they are, as this process names it. */
  readonly directory: string;
  /** Of each store. */
  readonly limitBytes: number;
  /** Newest first, and sentences on what cannot be read. Makes records of what processes left that are gone. */
  list(): { readonly artifacts: KeptArtifact[]; readonly notes: string[] };
  /** To be closed by who asked; undefined for what is not kept. Throws NodeopsError `not-permitted`. */
  open(name: string): OpenFile | undefined;
  /** Its size; undefined for what is not kept. Throws NodeopsError `not-permitted`, `failed`. */
  remove(name: string): number | undefined;
}
