/** The API server: does it answer, how old is it, whom does it take us for, what time is it there. */
import { NodeopsError } from '../../../../protocol/errors.ts';
import type { KubeApi } from '../../../transport/kube/api.ts';
import { type Finding, ok, skip, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';

/** Older ones lack `matchConditions`, by which only annotated pods reach the webhook. */
const oldestMinor = 30;
/** A token or certificate is refused by a clock that is further off than what issuers allow for. */
const skewLimitMs = 60_000;

/** How the server answered first. */
export interface Answered {
  /** The 36 of 1.36; undefined where it would not say. */
  readonly minor: number | undefined;
  /** Server's clock minus ours; undefined where it sent no date. */
  readonly skewMs: number | undefined;
}

export interface ServerLinks {
  readonly server: Link<Answered>;
  /** The name we are known by. */
  readonly user: Link<string>;
}

export function examineServer(exam: Examination, credentials: Link<KubeApi>, { io }: Surroundings): ServerLinks {
  const server = exam.link({ id: 'server', what: 'API server', needs: [credentials] }, async (signal, api) => {
    const started = performance.now();
    try {
      const { value, atMs } = await api.getDated<{ gitVersion?: string; minor?: string }>('/version', { signal });
      const tookMs = performance.now() - started;
      return versionFinding(value, tookMs, skewOf(atMs, io.now().getTime(), tookMs));
    } catch (error) {
      // it answers, which is what is asked here; the next check says what it does not accept
      if (error instanceof NodeopsError && ['unauthenticated', 'forbidden'].includes(error.code))
        return ok(`${api.connection.server.origin} answers, and does not tell its version`, unknown);
      throw error;
    }
  });
  const user = exam.link({ id: 'user', what: 'user', needs: [credentials, server] }, async (signal, api) => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const { status } = await api.post<Review>(path, review, { signal }).catch((error: unknown) => {
      // served since 1.28
      if (error instanceof NodeopsError && error.code === 'nothing-matched') return {} as Review;
      throw error;
    });
    if (!status) return ok('accepted; this server is too old to say who it is', '');
    const { username = '', groups = [] } = status?.userInfo ?? {};
    return ok(groups.length > 0 ? `${username}, of ${groups.join(', ')}` : username, username);
  });
  exam.link({ id: 'clock', what: 'clock', needs: [server] }, (_, { skewMs }) => {
    if (skewMs === undefined) return skip('the server sent no date');
    const seconds = Math.round(Math.abs(skewMs) / 1_000);
    if (Math.abs(skewMs) <= skewLimitMs) return ok(`within ${Math.max(seconds, 1)} s of the API server's`);
    return warn(
      `${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} the API server's: tokens and certificates may be refused`,
      {
        say: 'set the clock of this machine:',
        run: ['sudo timedatectl set-ntp true'],
      },
    );
  });
  return { server, user };
}

const unknown: Answered = { minor: undefined, skewMs: undefined };

interface Review {
  readonly status?: { readonly userInfo?: { readonly username?: string; readonly groups?: readonly string[] } };
}

/** `atMs` has whole seconds when it is the server's date, else it is our own clock's. */
function skewOf(atMs: number, nowMs: number, tookMs: number): number | undefined {
  if (atMs % 1_000 !== 0) return undefined;
  const skewMs = atMs + 500 - (nowMs - tookMs / 2);
  return Math.abs(skewMs) <= 500 + tookMs / 2 ? 0 : skewMs;
}

function versionFinding(
  { gitVersion = '', minor: said = '' }: { gitVersion?: string; minor?: string },
  tookMs: number,
  skewMs: number | undefined,
): Finding<Answered> {
  // managed clusters write `30+`
  const minor = Number.parseInt(said, 10) || undefined;
  const answered = { minor, skewMs };
  const took = `answered in ${Math.round(tookMs)} ms`;
  if (minor === undefined || minor >= oldestMinor) return ok(`Kubernetes ${gitVersion}, ${took}`, answered);
  return warn(
    `Kubernetes ${gitVersion} is older than 1.${oldestMinor}: the chart cannot be installed there`,
    { say: `upgrade the cluster, or load the agent in the image: NODE_OPTIONS='--require nodeops/preload'` },
    answered,
  );
}
