import type { VerbEntry } from './verb.ts';

/** A verb in the list of `tcf --help`. */
export interface TopVerb extends VerbEntry {
  readonly group: 'Everyday' | 'More';
}

export const verbs: readonly TopVerb[] = [
  {
    name: 'sbom',
    group: 'Everyday',
    usage: 'IMAGE [options]',
    summary: 'write the SBOM of an image, with the LLVM that Triton pins',
    load: () => import('./sbom.ts'),
  },
  {
    name: 'sign',
    group: 'Everyday',
    usage: 'IMAGE [options]',
    summary: 'sign an image in its registry and attest its SBOM',
    load: () => import('./sign.ts'),
  },
  {
    name: 'verify',
    group: 'Everyday',
    usage: 'IMAGE [options]',
    summary: 'decide by policy whether an image may start',
    load: () => import('./verify.ts'),
  },
  {
    name: 'run',
    group: 'Everyday',
    usage: '[options] [runtime flags] IMAGE [COMMAND...]',
    summary: 'verify an image, then start exactly that digest',
    load: () => import('./run.ts'),
  },
  {
    name: 'gate',
    group: 'Everyday',
    usage: 'IMAGE [options]',
    summary: 'verify in CI, with SARIF and a summary',
    load: () => import('./gate.ts'),
  },
  {
    name: 'up',
    group: 'More',
    usage: '[options] PROFILE [profile options]',
    summary: 'verify and start a dev container that stays',
    load: () => import('./up.ts'),
  },
  {
    name: 'exec',
    group: 'More',
    usage: '[options] NAME [COMMAND...]',
    summary: 'run a command in a dev container, its image verified once more',
    load: () => import('./exec.ts'),
  },
  {
    name: 'down',
    group: 'More',
    usage: 'NAME [options]',
    summary: 'stop and remove a dev container',
    load: () => import('./down.ts'),
  },
  {
    name: 'diff',
    group: 'More',
    usage: 'OLD NEW [options]',
    summary: 'say what changed between two images or SBOMs',
    load: () => import('./diff.ts'),
  },
  {
    name: 'copy',
    group: 'More',
    usage: 'FROM TO [options]',
    summary: 'copy an image with its signatures, attestations and SBOMs',
    load: () => import('./copy.ts'),
  },
  {
    name: 'keygen',
    group: 'More',
    usage: '[options]',
    summary: 'make an encrypted signing key that cosign reads too',
    load: () => import('./keygen.ts'),
  },
  {
    name: 'policy',
    group: 'More',
    usage: 'check|explain|export|schema [FILE_OR_IMAGE]',
    summary: 'check a policy, explain what decides about an image, export to other engines',
    load: () => import('./policy/index.ts'),
  },
  {
    name: 'devcontainer',
    group: 'More',
    usage: 'init|pin|migrate|check|allow [options]',
    summary: 'write, pin or check a devcontainer.json, so that no unverified dev container starts',
    load: () => import('./devcontainer.ts'),
  },
  {
    name: 'hook',
    group: 'More',
    usage: 'install|status|uninstall [RUNTIME] [options]',
    summary: 'have podman, CRI-O, containerd or Docker ask tcf before anything starts',
    load: () => import('./hook.ts'),
  },
  {
    name: 'doctor',
    group: 'More',
    usage: '[options]',
    summary: 'look at policy, trust, engine, GPU, logins and hooks, and say how to repair them',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'log',
    group: 'More',
    usage: 'show|verify|prune|archive [options]',
    summary: 'show what was decided on this machine, prove that nobody changed it, or take old entries away',
    load: () => import('./log/index.ts'),
  },
  {
    name: 'trust',
    group: 'More',
    usage: 'show|update|import [NAME|FILE] [options]',
    summary: 'show, renew or bring the trusted roots of Sigstore instances',
    load: () => import('./trust/index.ts'),
  },
  {
    name: 'pins',
    group: 'More',
    usage: 'show|add|update [VERSION|WHEEL|CHECKOUT|FILE] [options]',
    summary: 'which LLVM a release of Triton pins, for releases newer than this tcf',
    load: () => import('./pins/index.ts'),
  },
  {
    name: 'sign-bundle',
    group: 'More',
    usage: 'FILE --bundle OUT [options]',
    summary: 'sign a file as a Sigstore bundle (the sigstore-conformance protocol)',
    load: () => import('./sign-bundle.ts'),
  },
  {
    name: 'verify-bundle',
    group: 'More',
    usage: '[options] FILE_OR_DIGEST',
    summary: 'verify one Sigstore bundle (the sigstore-conformance protocol)',
    load: () => import('./verify-bundle.ts'),
  },
];
