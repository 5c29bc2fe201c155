import type { Gap } from './target.ts';

/*
 * What each hook does not see. `tcf hook install` prints it, SECURITY.md has it word by word, and
 * test/e2e/ways.ts shows each entry by its code with the real runtime.
 */

export const podmanGaps: readonly Gap[] = [
  {
    code: 'build-allowed',
    text: 'RUN steps of podman build and buildah with --allow-builds (without it they are denied, since they run what nothing has verified)',
  },
  {
    code: 'build-chroot',
    text: 'RUN steps of podman build and buildah with --isolation=chroot or BUILDAH_ISOLATION=chroot, which start no runtime',
  },
  { code: 'other-store', text: 'podman --remote, and podman of another user who is told of no hook' },
  {
    code: 'other-hooks',
    text: 'podman --hooks-dir, --module, CONTAINERS_CONF or CONTAINERS_CONF_OVERRIDE with another folder of hooks, and --runtime with one that runs no hooks',
  },
  {
    code: 'running',
    text: 'containers that are running already, podman exec in them, and restored checkpoints',
  },
  {
    code: 'copied-in',
    text: 'what podman cp, podman mount or an earlier start wrote into the container itself: the image is verified, not what was written over it',
  },
  {
    code: 'bound-in',
    text: 'programs that a container is given as a volume: of the host, or of what others left in a volume',
  },
  {
    code: 'store-on-disk',
    text: 'layers that were changed on disk, and --root or --rootfs with a forged store: the lists of a store are trusted',
  },
  {
    code: 'not-logged',
    text: 'a start that is allowed while the log cannot be written, on a full disk: it goes on with a warning',
  },
];

export const containerdGaps: readonly Gap[] = [
  {
    code: 'other-platform',
    text: 'other platforms of an index than that of this machine, which are pulled with it (--all-platforms)',
  },
  {
    code: 'already-there',
    text: 'images that are there already: the plugin is asked when they are pulled, not when they run',
  },
  { code: 'local-pull', text: 'ctr image pull --local, ctr image import, and CRI with use_local_image_pull' },
  {
    code: 'other-bin-dir',
    text: 'a bin_dir that containerd is configured to look for elsewhere (name it with --bin-dir), and an empty one, which allows everything',
  },
  { code: 'old-containerd', text: 'containerd before 2.0, which has no image verifiers: status says no' },
];

export const dockerGaps: readonly Gap[] = [
  {
    code: 'restarted',
    text: 'containers that the daemon restarts by itself (--restart), and new processes in those that run (docker exec)',
  },
  {
    code: 'renamed',
    text: 'another container that gets the name between the question and the start; an id cannot move',
  },
  { code: 'below', text: 'anyone who can reach the socket of containerd below the daemon' },
  {
    code: 'written-over',
    text: 'what a container wrote over its own image before it was stopped: the image is verified at the start, not what was written over it',
  },
  {
    code: 'bound-in',
    text: 'programs that a container is given as a volume: of the host, or of what others left in a volume',
  },
  {
    code: 'not-logged',
    text: 'a start that is allowed while the log cannot be written, on a full disk: it goes on with a warning',
  },
];
