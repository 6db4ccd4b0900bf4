import type { Io } from '../../io.ts';
import type { KubeOptions } from '../../transport/kube/options.ts';
import type { CredentialSecrets } from './credential-secrets.ts';

/** What checks are handed besides what they need of each other. */
export interface Surroundings {
  readonly kube: KubeOptions;
  readonly io: Io;
  readonly secrets: CredentialSecrets;
  /** Version of this plugin; undefined in a program that was not built. */
  readonly pluginVersion: string | undefined;
}
