/** NODEOPS_RECORDER and NODEOPS_STALL_MS, checked. */

export interface RecorderSettings {
  readonly enabled: boolean;
  /** A turn of the event loop that takes this long is a stall. */
  readonly stallMs: number;
  /** Time between two beats of the main thread, from which delays and stalls are told. */
  readonly beatMs: number;
  /** What was asked for in vain. */
  readonly notes: readonly string[];
}

const standardStallMs = 200;

/** On unless NODEOPS_RECORDER says off. A value that makes no sense is noted, and the default used. */
export function recorderSettings(environment: Readonly<Record<string, string | undefined>>): RecorderSettings {
  const { NODEOPS_RECORDER: recorder = '', NODEOPS_STALL_MS: stall = '' } = environment;
  const notes: string[] = [];
  const off = ['off', '0', 'false', 'no'].includes(recorder.toLowerCase());
  if (!off && !['', 'on', '1', 'true', 'yes'].includes(recorder.toLowerCase()))
    notes.push(`NODEOPS_RECORDER is '${recorder}', and takes on or off; on is used instead`);
  let stallMs = standardStallMs;
  if (/^\d{1,6}$/.test(stall) && Number(stall) >= 20 && Number(stall) <= 60_000) stallMs = Number(stall);
  else if (stall !== '')
    notes.push(`NODEOPS_STALL_MS is '${stall}', and takes 20 to 60000; ${standardStallMs} is used instead`);
  return { enabled: !off, stallMs, beatMs: Math.min(100, Math.ceil(stallMs / 2)), notes };
}
