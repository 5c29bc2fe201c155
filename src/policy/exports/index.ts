import { clusterImagePolicy } from './cluster-image-policy.ts';
import { containersPolicy } from './containers-policy.ts';
import { imageValidatingPolicy } from './image-validating-policy.ts';
import { kyverno } from './kyverno.ts';
import type { ExportTarget } from './target.ts';

/**
 * Every engine a policy can be handed to. A new one joins here, and `fixtures/exports/<name>/` shows what
 * comes out.
 */
export const exportTargets: readonly ExportTarget[] = [
  clusterImagePolicy,
  imageValidatingPolicy,
  kyverno,
  containersPolicy,
];
