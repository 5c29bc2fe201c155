import { devContainers } from './dev-containers.ts';
import { hooks } from './hooks.ts';
import { launcher } from './launcher.ts';
import { log } from './log.ts';
import type { Steps } from './place.ts';

/** The steps of the walk by the test that takes them, each in the order of the page. */
export const walks: Readonly<Record<'dev-containers' | 'hooks' | 'launcher', Steps>> = {
  launcher,
  hooks,
  'dev-containers': { ...devContainers, ...log },
};
