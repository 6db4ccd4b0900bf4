import type { ProcessReply, VersionReply } from '../replies.ts';
import { known, line } from './lines.ts';
import { duration, elapsed } from './quantities.ts';

/** The lines of `gops PID`. */
export function processText(process: ProcessReply): string[] {
  const share = (value: number | null) => known(value, (number) => `${number.toFixed(3)}%`);
  return [
    line('parent PID', process.ppid),
    line('threads', process.threads),
    line('memory usage', share(process.memoryPercent)),
    line('cpu usage', share(process.cpuPercent)),
    ...(process.durationMs > 0
      ? [line(`cpu usage (${duration(process.durationMs)})`, share(process.cpuPercentOver))]
      : []),
    line('username', process.user),
    line('cmd+args', process.command),
    line('elapsed time', elapsed(process.elapsedSeconds)),
    ...(process.sockets ?? []).map(({ local, remote, state }) =>
      line('local/remote', `${local} <-> ${remote ?? ':0'} (${state})`),
    ),
    ...(process.children ?? []).map(({ pid, command, ageSeconds, state }) =>
      line('child', `${pid} ${command} (${elapsed(ageSeconds)}${state === 'Z' ? ', ended and not waited for' : ''})`),
    ),
  ];
}

export function versionText(version: VersionReply): string[] {
  return [
    line('node', version.nodeVersion),
    line('v8', version.v8Version),
    line('agent', `${version.agentVersion} (protocol ${version.protocol})`),
    line('platform', `${version.platform}/${version.arch}`),
    line('executable', version.execPath),
  ];
}
