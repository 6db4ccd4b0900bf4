import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { replyHeader, requestHeader } from '../protocol/wire.ts';
import { preloadFile } from './paths.ts';

/**
 * `helm test`: whether this very process was injected and its agent answers on the pod's port. Any answer of an agent will do,
 * a refusal for want of a token too. Throws an Error that says what is missing and what to look at.
 */
export async function check(environment: NodeJS.ProcessEnv, deadlineMs = 10_000): Promise<string> {
  if (!environment.NODE_OPTIONS?.includes(preloadFile))
    throw new Error(
      'this pod asked for the agent and was not injected: look at its annotation nodeops.dev/skipped and at the injector',
    );
  const token = environment.NODEOPS_TOKEN_FILE;
  if (token !== undefined && !existsSync(token))
    throw new Error(
      'this pod was injected and the Secret with the token (agent.tokenSecret) is missing in its namespace or lacks the key: its agent stays away',
    );
  const url = `http://127.0.0.1:${environment.NODEOPS_PORT}/v1/version`;
  let last: unknown;
  for (const end = Date.now() + deadlineMs; Date.now() < end; await sleep(200)) {
    try {
      const response = await fetch(url, { headers: { [requestHeader]: '1' }, signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      if (response.headers.has(replyHeader)) return `the agent answers on ${url}`;
      last = new Error(`HTTP ${response.status} of something else`);
    } catch (error) {
      last = error;
    }
  }
  throw new Error(
    `the agent was injected and does not answer on ${url}: ${last instanceof Error ? last.message : last}`,
    {
      cause: last,
    },
  );
}
