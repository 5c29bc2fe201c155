/** The host of a URL without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/[[\]]/g, '');
}

/** `localhost`, 127.0.0.0/8 and ::1, the only hosts that plain HTTP is spoken to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

const loopback = /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/**
 * In the one spelling that URLs and name resolution give an address. Not the mapped form `::ffff:127.0.0.1`:
 * nobody needs that but to hide. By its letters, because `node:net` is a large part of a start that asks no
 * registry.
 */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || loopback.test(address);
}
