import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { HookCall } from './oci-hook.ts';
import { shellWord } from './shell.ts';

/** containerd keeps so much of a verifier's standard output as the reason (docs/image-verification.md). */
export const reasonLimit: number = 32 * 1024;

/**
 * Seconds for an answer with a reason. containerd ends a verifier after ten (`per_verifier_timeout`), and
 * says only that it took too long; Node's start and the log want their part of it.
 */
export const verifierDeadline = 8;

/**
 * A program for the `bin_dir` of containerd's image verifier plugin. containerd passes no environment worth
 * counting on.
 */
export function containerdVerifier({ env, flags, program }: HookCall): string {
  const assignments = Object.entries(env).map(([name, value]) => `export ${name}=${shellWord(value)}`);
  const call = [...program, 'hook', 'enter', 'containerd', ...flags].map(shellWord).join(' ');
  return ['#!/bin/sh', ...assignments, `exec ${call} -- "$@"`, ''].join('\n');
}

/**
 * Reads what containerd calls a verifier with: `-name REF -digest DIGEST -stdin-media-type TYPE`.
 *
 * @throws TcfError `hook.arguments` (exit 2); `reference.malformed`, `digest.malformed` (exit 3).
 */
export function parseVerifierArguments(args: readonly string[]): ImageRef & { readonly digest: Digest } {
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const [flag = '', value] = [args[at]?.replace(/^--?/, ''), args[at + 1]];
    if (value === undefined || values.has(flag) || !args[at]?.startsWith('-')) {
      throw cannotTell('hook.arguments', `cannot read containerd's arguments at ${quoted(args[at] ?? '')}`);
    }
    values.set(flag, value);
  }
  const name = values.get('name');
  const digest = values.get('digest');
  if (name === undefined || digest === undefined) {
    throw cannotTell('hook.arguments', 'containerd named no image, or no digest');
  }
  return { ...parseImageRef(name), digest: parseDigest(digest) };
}
