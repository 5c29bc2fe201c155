import type { VerbEntry } from '../verb.ts';

export const actions: readonly VerbEntry[] = [
  {
    name: 'install',
    usage: 'RUNTIME [options]',
    summary: 'have a runtime ask tcf before it starts something',
    load: () => import('./install.ts'),
  },
  {
    name: 'status',
    usage: '[RUNTIME] [options]',
    summary: 'prove that a hook works, by an unsigned and a signed image that the runtime is asked for',
    load: () => import('./status.ts'),
  },
  {
    name: 'uninstall',
    usage: 'RUNTIME [options]',
    summary: 'take away what install wrote',
    load: () => import('./uninstall.ts'),
  },
  {
    name: 'enter',
    hidden: true,
    usage: 'podman|containerd [options]',
    summary: 'what a runtime calls before it starts or pulls something',
    load: () => import('./enter.ts'),
  },
  {
    name: 'serve',
    hidden: true,
    usage: 'docker [options]',
    summary: 'answer the daemon of Docker',
    load: () => import('./serve.ts'),
  },
];
