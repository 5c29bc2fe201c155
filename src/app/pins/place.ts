import { join } from 'node:path';
import { fileExists } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import type { Whose } from '../trust/instances.ts';

/** Where the pins of a user or of the machine lie. */
export interface PinsPlace {
  readonly whose: Whose;
  /** The data file, canonical JSON. */
  readonly file: string;
  /** Its signature, a Sigstore bundle. */
  readonly bundle: string;
  /** Public key whose signature counts beside those that policies name. */
  readonly key: string;
}

export function pinsPlace(host: Host, whose: Whose): PinsPlace {
  const folder = whose === 'machine' ? host.machine.config : configFolder(host);
  const file = join(folder, 'pins.json');
  return { whose, file, bundle: `${file}.sigstore.json`, key: join(folder, 'pins.pub') };
}

/** The places where pins lie beside those that tcf brings along. */
export function keptPins(host: Host): readonly PinsPlace[] {
  return (['machine', 'user'] as const)
    .map((whose) => pinsPlace(host, whose))
    .filter(({ file }) => fileExists(host, file));
}
