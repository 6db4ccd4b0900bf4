/** NODEOPS_TRIGGERS, and NODEOPS_TRIGGERS_FILE: a mounted ConfigMap, read again when it changes. */

export interface TriggerSettings {
  /** Rules, one a line or separated by semicolons. */
  readonly text: string | null;
  readonly file: string | null;
}

export function triggerSettings(environment: Readonly<Record<string, string | undefined>>): TriggerSettings {
  return { text: environment.NODEOPS_TRIGGERS || null, file: environment.NODEOPS_TRIGGERS_FILE || null };
}
