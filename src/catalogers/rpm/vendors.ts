import { compact } from '../../base/compact.ts';
import { isEmail } from '../../bom/clean.ts';
import type { Organization } from '../../bom/model.ts';

/** Pages of those who call themselves so in VENDOR. */
const pages: ReadonlyMap<string, string> = new Map([
  ['AlmaLinux', 'https://almalinux.org/'],
  ['CentOS', 'https://www.centos.org/'],
  ['Fedora Project', 'https://fedoraproject.org/'],
  ['Microsoft Corporation', 'https://www.microsoft.com/'],
  ['NVIDIA Corporation', 'https://www.nvidia.com/'],
  ['openSUSE', 'https://www.opensuse.org/'],
  ['Oracle America', 'https://www.oracle.com/'],
  ['Red Hat, Inc.', 'https://www.redhat.com/'],
  ['Rocky Enterprise Software Foundation', 'https://rockylinux.org/'],
]);

/** `CentOS BuildSys <bugs@centos.org>`, `SUSE LLC <https://www.suse.com/>`: a name, and often an address. */
const form = /^([^<>]{1,200}?) ?(?:<([^<>\s]{1,500})>)?$/;

/**
 * Who supplies a package: VENDOR, reached at the address in PACKAGER where there is one; the packager alone
 * where nobody else is named.
 */
export function supplierOf(vendor: string, packager: string): Organization | undefined {
  const [, name = '', address = ''] = form.exec(vendor.trim()) ?? [];
  const [, person = '', mail = ''] = form.exec(packager.trim()) ?? [];
  const called = name === '' ? person : name;
  if (called === '') {
    return undefined;
  }
  const url = /^https?:\/\//.test(address) ? address : pages.get(called);
  return compact({
    name: called,
    url,
    ...(isEmail(mail) ? { contacts: [{ name: person, email: mail }] } : {}),
  });
}
