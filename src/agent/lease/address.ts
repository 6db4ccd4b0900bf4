/** Where an agent that listens on `host` is dialled from the same pod. */
export function dialHost(host: string): string {
  if (host === '::' || host === '::1') return '::1';
  return host === '0.0.0.0' || host === 'localhost' ? '127.0.0.1' : host;
}

/** Whether a connection comes from this network namespace: over loopback, or from an address to itself. */
export function isFromHere(socket: { remoteAddress?: string | undefined; localAddress?: string | undefined }): boolean {
  const { remoteAddress = '', localAddress } = socket;
  const address = remoteAddress.replace(/^::ffff:/, '');
  return address === '::1' || address.startsWith('127.') || (address !== '' && remoteAddress === localAddress);
}
