import { quoted } from '../base/text.ts';

/** An image that was built again, beside the one that was expected. */
export interface BuildCheck {
  /** Digests of the manifests. */
  readonly expected: string;
  readonly built: string;
  readonly isSameContent: boolean;
  /** Digest of the attestation that was attached. */
  readonly attested?: string;
}

/** Empty where the digests agree and nothing was attached. */
export function formatBuildCheck({ attested, built, expected, isSameContent }: BuildCheck): string {
  const told = attested === undefined ? '' : `attached the verification summary: ${attested}\n`;
  if (built === expected) {
    return told;
  }
  const why = isSameContent
    ? 'the contents are the same, packed by another version of a library'
    : 'the contents differ';
  return `${told}tcf: the lock gives ${built}, not ${expected}: ${why}\n`;
}

/** What makes an image startable: deny is the default, so somebody signs it. */
export function formatNextStep(
  name: string,
  { output, pushed }: { readonly output: string; readonly pushed?: string },
): string {
  const shortName = name.replace(/\/+$/, '').replace(/^.*\//, '');
  return pushed === undefined
    ? `tcf: ${quoted(output)} is not signed; tcf build ${name} --key FILE signs it and gives it to podman, then tcf up starts it\n`
    : `tcf: tcf up ${shortName} starts ${pushed}, where your policy allows it\n`;
}
