import type { Envelope } from '../../protocol/replies.ts';
import type { Target } from '../target.ts';

/** How a target is named in tables and documents. */
export interface TargetName {
  readonly namespace: string | null;
  readonly pod: string | null;
  readonly container: string | null;
  readonly pid: number | null;
  /** The endpoint's name where it is no pod. */
  readonly address: string | null;
}

/** The name of a target, with what the agent said of itself where it answered. */
export function targetName({ endpoint, process }: Target, envelope?: Pick<Envelope<unknown>, 'process'>): TargetName {
  const asked = /^(?:(?<container>[a-z].*?)\/?)?(?<pid>\d+)?$/.exec(process ?? '')?.groups;
  return {
    namespace: endpoint.pod?.namespace ?? null,
    pod: endpoint.pod?.name ?? null,
    container: envelope?.process.container ?? asked?.container ?? null,
    pid: envelope?.process.pid ?? (asked?.pid ? Number(asked.pid) : null),
    address: endpoint.pod ? null : endpoint.name,
  };
}

/** What can be typed again as a target. */
export function typedName(target: TargetName): string {
  return target.pod === null ? target.address! : `pod/${target.pod}`;
}
