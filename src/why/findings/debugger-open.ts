import { finding, type Rule } from '../finding.ts';

export const debuggerOpen: Rule = {
  id: 'debugger-open',
  passed: 'no debugger port is open',
  needs: ['process'],
  thresholds: 'it was started with --inspect, or listens on 9229',
  find({ sockets, case: { subject } }) {
    const flag = /(?:^|\s)--inspect(?:-brk|-wait)?(?=[=\s]|$)/.exec(subject.command);
    const port = sockets.find(({ local, state }) => state === 'LISTEN' && /:9229$/.test(local));
    if (!flag && !port) return null;
    const attached = sockets.some(({ local, state }) => state === 'ESTABLISHED' && port && local.endsWith(':9229'));
    return finding('debugger-open', {
      level: 'note',
      weight: attached ? 0.3 : 0.1,
      sentence: `Node’s debugger ${attached ? 'is attached' : 'listens'}${port ? ` on ${port.local}` : ''}: whoever reaches it can run code, and a breakpoint stops everybody`,
      place: port?.local ?? null,
      certainty: 'certain',
      next: 'process TARGET',
      remedy: 'Take --inspect out of the command and of NODE_OPTIONS in production.',
    });
  },
};
