import type { Settings } from '../../src/inject/settings.ts';

/** The chart's values that lead to given settings. */
export function chartValues(settings: Settings): object {
  const [, repository, tag] = /^(.*):([^:/]*)$/.exec(settings.image)!;
  return {
    image: { repository, tag, pullPolicy: settings.imagePullPolicy },
    agent: {
      delivery: settings.delivery,
      port: settings.port,
      readOnly: settings.readOnly,
      triggers: settings.triggers,
      artifactsSize: settings.artifactsSize,
      excludedContainers: settings.excludedContainers,
      tokenSecret: settings.tokenSecret ?? { name: '' },
      resources: withNulls(settings.resources.agent),
    },
    sidecar: { enabled: settings.sidecar, resources: withNulls(settings.resources.sidecar) },
  };
}

/** helm merges values into the defaults; null takes a default away. */
function withNulls(resources: object): object {
  return { requests: null, limits: null, ...resources };
}
