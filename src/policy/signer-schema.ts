import {
  asking,
  choice,
  described,
  either,
  type Form,
  mapping,
  optional,
  such,
  table,
  text,
  textLike,
} from './form.ts';
import { type GitHubRun, githubRun } from './github-run.ts';
import { identityProblem } from './signer.ts';
import { instantText } from './times.ts';

/**
 * The names of the Fulcio extensions a policy may ask about
 * (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
 */
export const claimNames = [
  'buildConfigDigest',
  'buildConfigUri',
  'buildSignerDigest',
  'buildSignerUri',
  'buildTrigger',
  'deploymentEnvironment',
  'githubWorkflowName',
  'githubWorkflowRef',
  'githubWorkflowRepository',
  'githubWorkflowSha',
  'githubWorkflowTrigger',
  'runInvocationUri',
  'runnerEnvironment',
  'sourceRepositoryDigest',
  'sourceRepositoryIdentifier',
  'sourceRepositoryOwnerIdentifier',
  'sourceRepositoryOwnerUri',
  'sourceRepositoryRef',
  'sourceRepositoryUri',
  'sourceRepositoryVisibilityAtSigning',
  'tokenSubject',
] as const;

export interface SignerShape {
  readonly issuer?: string | undefined;
  readonly identity?: string | undefined;
  readonly github?: GitHubRun | undefined;
  readonly claims?: Readonly<Record<string, string>> | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
}

const window = {
  notBefore: optional(instantText, 'signatures made before this time do not count'),
  notAfter: optional(instantText, 'signatures made after this time do not count'),
};

const keyless = mapping({
  issuer: described(
    textLike(
      /^https:\/\/[^\s*/?#@]+(?:\/[^\s*?#]*)?$/,
      'is not the URL of an issuer: https://host/path, without patterns',
    ),
    'OIDC issuer, compared whole',
  ),
  identity: described(
    such(text, identityProblem),
    'subject of the certificate, compared whole; * stands for any characters except / and @',
  ),
  claims: optional(
    asking(table(choice(...claimNames), text)),
    'Fulcio certificate extensions with the exact values they must have',
  ),
  github: optional(githubRun, 'which run of GitHub Actions it must have been'),
  ...window,
});
const inlineKey = mapping({ key: described(text, 'public key as PEM'), ...window });
const keyFile = mapping({
  keyFile: described(text, 'file with a public key as PEM, relative to the policy'),
  ...window,
});

/** One signer: an identity at an issuer, or a key, in the text or in a file beside it. */
export const signerSchema: Form<SignerShape> = either(keyless, inlineKey, keyFile);
