import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'init',
    usage: 'IMAGE [options]',
    summary: 'write a devcontainer.json that starts one verified digest',
    load: () => import('./init.ts'),
  },
  {
    name: 'pin',
    usage: '[IMAGE] [options]',
    summary: 'put the digest into the devcontainer.json that is there, and have tcf asked',
    load: () => import('./pin.ts'),
  },
  {
    name: 'migrate',
    usage: 'IMAGE [options]',
    summary: 'turn a devcontainer.json that builds its image into one that starts a verified one',
    load: () => import('./migrate.ts'),
  },
  {
    name: 'check',
    usage: '[options]',
    summary: 'whether what the file starts is verified; what "initializeCommand" asks',
    load: () => import('./check.ts'),
  },
  {
    name: 'allow',
    usage: '-- WORD...',
    summary: 'let the project in this folder have something of the host, by the words that check prints',
    load: () => import('./allow.ts'),
  },
];
