import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'show',
    usage: '[options]',
    summary: 'show what was decided on this machine, the latest last',
    load: () => import('./show.ts'),
  },
  {
    name: 'verify',
    usage: '[options]',
    summary: 'prove that no entry was changed or removed',
    load: () => import('./verify.ts'),
  },
  {
    name: 'prune',
    usage: '--keep COUNT | --before DATE',
    summary: 'take old entries away',
    load: () => import('./prune.ts'),
  },
  {
    name: 'archive',
    usage: '',
    summary: 'keep a broken log under another name, and begin a new one',
    load: () => import('./archive.ts'),
  },
];
