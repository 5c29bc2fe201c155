import type { Target } from '../target.ts';
import { attest } from './attest.ts';
import { catalogers } from './catalogers.ts';
import { documents } from './documents.ts';
import { edges } from './edges.ts';

/** Every reader of bytes that come from a stranger: images, registries, logs, projects, caches. */
export const targets: readonly Target[] = [...attest, ...documents, ...catalogers, ...edges];

/** Readers of the table's exports that are not targets of their own, and why. */
export const elsewhere: Readonly<Record<string, string>> = {
  'app/registries.ts parseRegistryName': 'asks parseImageRef, of a name that the user typed',
  'commands/options/platform.ts parsePlatform': 'a flag that the user typed',
  'catalogers others': 'wants no file and reads none',
};
