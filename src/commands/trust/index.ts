import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'show',
    usage: '[NAME|FILE] [options]',
    summary: 'what is trusted, since when, and what is suspicious about it',
    load: () => import('./show.ts'),
  },
  {
    name: 'update',
    usage: '[NAME] [options]',
    summary: 'ask the TUF mirror for a newer root',
    load: () => import('./update.ts'),
  },
  {
    name: 'import',
    usage: 'FILE [options]',
    summary: 'bring the root of an instance in a file',
    load: () => import('./import.ts'),
  },
];
