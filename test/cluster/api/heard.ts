/** What the authorizer has heard of roles and bindings so far: it follows a watch, as all of an API server's admission does. */
import { later, pace } from '../pace.ts';
import { Store } from './store.ts';

export function heard(store: Store): Store {
  if (!pace.isReal) return store;
  const copy = new Store();
  store.onChange(({ type, resource, object }) => {
    if (resource.group !== 'rbac.authorization.k8s.io') return;
    const { namespace, name } = object.metadata;
    later('rbac', () => {
      // later news may have come first
      const now = store.get(resource, namespace, name);
      if (type === 'DELETED' || !now) copy.remove(resource, namespace, name);
      else copy.put(resource, now);
    });
  });
  return copy;
}
