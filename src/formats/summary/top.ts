import type { Profile } from '../model.ts';
import { type ReportOptions, report, text } from './report.ts';

/** The functions with the largest values, as `go tool pprof -top` prints them. `nodeCount` is 10 unless given. */
export function top(profile: Profile, options: ReportOptions = {}): string {
  const { nodes, head, value, share } = report(profile, { nodeCount: 10, ...options });
  let sum = 0;
  const rows = nodes.map(({ name, flat, cum }) => {
    sum += flat;
    return `${value(flat).padStart(10)} ${share(flat)} ${share(sum)} ${value(cum).padStart(10)} ${share(cum)}  ${name}`;
  });
  return text([...head, '      flat  flat%   sum%        cum   cum%', ...rows], options.widthColumns ?? 0);
}
