/** WATCH: what is there, then every change, as one JSON object a line; bookmarks; a selector's comings and goings. */
import type { ServerResponse } from 'node:http';
import { queued } from '../pace.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import type { Change, Store } from './store.ts';
import type { Json, KubeObject } from './types.ts';

export interface WatchOptions {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly matches: (object: KubeObject) => boolean;
  /** Undefined or `0`: begin with what is there. */
  readonly resourceVersion: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  /** How an object is shown: itself, its metadata, or a Table row. */
  readonly render: (object: KubeObject, first: boolean) => Json;
}

/** Ends by itself after this long without `timeoutSeconds`, as a real server does after 30 to 60 minutes. */
const longestMs = 45 * 60_000;
const bookmarkMs = 60_000;

/** Throws `410 Gone` for a version that is too old, before anything is written. */
export function watch(store: Store, response: ServerResponse, options: WatchOptions): void {
  const { resource, namespace, matches, resourceVersion } = options;
  const fromStart = !resourceVersion || resourceVersion === '0' || options.sendInitialEvents;
  const missed = fromStart ? [] : store.since(Number(resourceVersion));
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' });
  response.flushHeaders();
  let first = true;
  const send = (type: string, object: KubeObject) => {
    if (response.writableEnded) return;
    const shown = type === 'BOOKMARK' ? object : options.render(object, first);
    if (type !== 'BOOKMARK') first = false;
    response.write(`${JSON.stringify({ type, object: shown })}\n`);
  };
  const bookmark = (annotations?: Json) =>
    send('BOOKMARK', {
      kind: resource.kind,
      apiVersion: apiVersionOf(resource),
      metadata: {
        resourceVersion: String(store.version),
        creationTimestamp: null,
        ...(annotations ? { annotations } : {}),
      },
    });
  const onChange = (change: Change) => {
    if (change.resource !== resource) return;
    if (namespace !== undefined && change.object.metadata.namespace !== namespace) return;
    const now = change.type !== 'DELETED' && matches(change.object);
    const before = change.previous !== undefined && matches(change.previous);
    if (now) send(before ? 'MODIFIED' : 'ADDED', change.object);
    else if (before)
      send(
        'DELETED',
        change.type === 'DELETED'
          ? change.object
          : {
              ...change.previous!,
              metadata: { ...change.previous!.metadata, resourceVersion: change.object.metadata.resourceVersion },
            },
      );
  };
  if (fromStart) for (const object of store.list(resource, namespace).filter(matches)) send('ADDED', object);
  if (options.sendInitialEvents) bookmark({ 'k8s.io/initial-events-end': 'true' });
  for (const change of missed) onChange(change);
  const inTurn = queued('watch');
  const stop = store.onChange((change) => inTurn(() => onChange(change)));
  const ticker = options.bookmarks ? setInterval(() => bookmark(), bookmarkMs) : undefined;
  const end = () => {
    if (options.bookmarks) bookmark();
    response.end();
  };
  const timer = setTimeout(end, options.timeoutSeconds === undefined ? longestMs : options.timeoutSeconds * 1000);
  response.on('close', () => {
    stop();
    clearTimeout(timer);
    clearInterval(ticker);
  });
}
