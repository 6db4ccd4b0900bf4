/**
 * Stands for undici in the plugin's bundle: half of what client-node's configuration would bring. It makes agents for the library's REST
 * client, which the plugin does not use (docs/adr/0003-what-client-node-does.md).
 */
class NotBundled {
  constructor() {
    throw new Error('undici is not in this bundle');
  }
}

export const { fetch } = globalThis;
export { NotBundled as Agent, NotBundled as ProxyAgent };
