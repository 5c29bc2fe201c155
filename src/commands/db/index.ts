import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'build',
    usage: 'INPUT... [options]',
    summary: 'make a database from OSV, RustSec, NVIDIA and indexes of Debian',
    load: () => import('./build.ts'),
  },
  {
    name: 'import',
    usage: 'FILE',
    summary: 'keep a database that came as a file',
    load: () => import('./import.ts'),
  },
  {
    name: 'push',
    usage: 'REFERENCE [options]',
    summary: 'push the database to a registry, to be signed by tcf sign --no-sbom',
    load: () => import('./push.ts'),
  },
  {
    name: 'pull',
    usage: 'REFERENCE [options]',
    summary: 'get a database from a registry, if the policy allows it',
    load: () => import('./pull.ts'),
  },
  {
    name: 'status',
    usage: '[options]',
    summary: 'which data answers, how old it is, and where it came from',
    load: () => import('./status.ts'),
  },
  {
    name: 'verify',
    usage: '[FILE]',
    summary: 'read every row of a database',
    load: () => import('./verify.ts'),
  },
];
