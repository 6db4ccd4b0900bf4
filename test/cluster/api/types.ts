// biome-ignore lint/suspicious/noExplicitAny: Kubernetes objects are open-ended JSON, and this is a server that stores them as they come
export type Json = any;

/** Any object of the API. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Json;
  [field: string]: Json;
}

/** Who asks, as authentication found out. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, string[]>>;
}
