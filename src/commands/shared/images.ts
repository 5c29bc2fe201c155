import type { OpenImage } from '../../image/contract.ts';
import { openFromRegistry } from '../../image/from-registry.ts';
import { parseImageRef } from '../../oci/reference.ts';
import type { Host } from '../host.ts';
import type { Options } from '../verb.ts';
import { openUserRegistry, readPlatform } from './registries.ts';

export async function openUserImage(host: Host, name: string, options: Options): Promise<OpenImage> {
  return await openFromRegistry(
    await openUserRegistry(host, options),
    parseImageRef(name.replace('docker://', '')),
    readPlatform(host, options),
  );
}
