import type { LookupAddress, LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { isLoopbackAddress } from './hosts.ts';

/**
 * How far a request may reach. `any`: the user named the host. `public`: a stranger named it (redirect, token
 * realm), so it must not lead into the machine or its network. `loopback`: plain HTTP, which never leaves the
 * machine.
 */
export type Reach = 'any' | 'public' | 'loopback';

// Special-purpose addresses (RFC 6890). Mapped and translated IPv6 forms stand here whole: they are another
// spelling of any IPv4 address. Two lists, because BlockList takes the mapped range for all of IPv4.
const special = { ipv4: new BlockList(), ipv6: new BlockList() } as const;
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  special.ipv4.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  special.ipv6.addSubnet(network, prefix, 'ipv6');
}

/** Whether an address lies outside this machine, its links and private networks. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  return isIP(address) !== 0 && !special[family].check(address, family);
}

/**
 * @throws TcfError `registry.refused` when the address lies beyond `reach` (A-96: metadata services,
 * rebinding).
 */
export function checkAddress(host: string, address: string, reach: Reach): void {
  const allowed =
    reach === 'any' || (reach === 'public' ? isPublicAddress(address) : isLoopbackAddress(address));
  if (!allowed) {
    throw beyond(host, address, reach);
  }
}

function beyond(host: string, address: string, reach: Reach): TcfError {
  return cannotTell(
    'registry.refused',
    `will not connect to ${quoted(host)}: ${quoted(address)} is ${
      reach === 'public' ? 'inside this machine or a private network' : 'not this machine'
    }`,
  );
}

type Resolved = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** What resolves names is loaded with the first name: addresses need none. */
function systemLookup(name: string, options: LookupOptions & { all: true }, done: Resolved): void {
  import('node:dns').then(
    ({ lookup: look }) => look(name, options, done),
    (error: NodeJS.ErrnoException) => done(error, []),
  );
}

/**
 * Name resolution that looks at the address which is then connected to, so that a name cannot change between
 * check and use (DNS rebinding). Names other than `host` pass: they are the proxy the user chose.
 */
export function guardedLookup(host: string, reach: Reach, resolve?: typeof lookup): LookupFunction {
  return (name, options: LookupOptions, done) => {
    const look = resolve ?? systemLookup;
    look(
      name,
      { ...options, all: true },
      (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => {
        if (error) {
          return done(error, []);
        }
        try {
          if (name === host) {
            for (const { address } of addresses) {
              checkAddress(host, address, reach);
            }
          }
        } catch (refusal) {
          return done(refusal as NodeJS.ErrnoException, []);
        }
        const [first] = addresses;
        if (options.all || first === undefined) {
          return done(null, addresses);
        }
        return done(null, first.address, first.family);
      },
    );
  };
}
