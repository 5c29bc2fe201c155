import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'init',
    usage: 'IMAGE --key FILE|--github OWNER/REPO/WORKFLOW [options]',
    summary: 'write a first policy from what is attached to an image',
    load: () => import('./init.ts'),
  },
  {
    name: 'check',
    usage: 'FILE [options]',
    summary: 'read a policy and say what it covers, and what in it does nothing',
    load: () => import('./check.ts'),
  },
  {
    name: 'explain',
    usage: 'IMAGE [options]',
    summary: 'say which rules decide about an image of that name',
    load: () => import('./explain.ts'),
  },
  {
    name: 'export',
    usage: 'FILE --to TARGET [options]',
    summary: 'write the policy for another engine',
    load: () => import('./export.ts'),
  },
  {
    name: 'schema',
    usage: '',
    summary: 'print the JSON Schema of policies',
    load: () => import('./schema.ts'),
  },
];
