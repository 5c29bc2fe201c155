import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** The host of a URL without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** `localhost`, 127.0.0.0/8 and ::1, the only hosts that plain HTTP is spoken to. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

/** Not the mapped form `::ffff:127.0.0.1`, which BlockList takes for its IPv4 address: nobody needs that spelling but to hide. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && !address.includes('ffff:') && loopback.check(address, familyOf(address));
}

export function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
