import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'show',
    usage: '[VERSION] [options]',
    summary: 'which LLVM each release of Triton pins, and who says so',
    load: () => import('./show.ts'),
  },
  {
    name: 'add',
    usage: 'WHEEL|CHECKOUT [options]',
    summary: 'read the pin of a release and write it, signed, beside those of tcf',
    load: () => import('./add.ts'),
  },
  {
    name: 'update',
    usage: 'FILE|URL [options]',
    summary: 'take over a signed file of pins',
    load: () => import('./update.ts'),
  },
];
