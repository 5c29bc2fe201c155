import { containerd } from './containerd.ts';
import { docker } from './docker.ts';
import { podman } from './podman.ts';
import type { HookTarget } from './target.ts';

export const hookTargets: readonly HookTarget[] = [podman, containerd, docker];
