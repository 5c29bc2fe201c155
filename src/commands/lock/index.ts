import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'show',
    usage: 'IMAGE [options]',
    summary: 'what an image is made of, by version and hash, and what is newer',
    load: () => import('./show.ts'),
  },
  {
    name: 'update',
    usage: 'IMAGE [options]',
    summary: 'move the pins to what the archives have, Triton with its LLVM and tools',
    load: () => import('./update.ts'),
  },
  {
    name: 'why',
    usage: 'IMAGE NAME',
    summary: 'say who needs an input',
    load: () => import('./why.ts'),
  },
  {
    name: 'schema',
    usage: '',
    summary: 'print the JSON Schema of a lock, for editors',
    load: () => import('./schema.ts'),
  },
];
