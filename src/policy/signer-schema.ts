import { z } from 'zod';
import { type GitHubRun, githubRun } from './github-run.ts';
import { identityProblem } from './signer.ts';
import { instantText } from './times.ts';

/** The names of the Fulcio extensions a policy may ask about (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md). */
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
  notBefore: instantText.optional().describe('signatures made before this time do not count'),
  notAfter: instantText.optional().describe('signatures made after this time do not count'),
};

const keyless = z.strictObject({
  issuer: z
    .string()
    .regex(
      /^https:\/\/[^\s*/?#@]+(?:\/[^\s*?#]*)?$/,
      'is not the URL of an issuer: https://host/path, without patterns',
    )
    .describe('OIDC issuer, compared whole'),
  identity: z
    .string()
    .min(1)
    .check((context) => {
      const problem = identityProblem(context.value);
      if (problem !== undefined)
        context.issues.push({ code: 'custom', message: problem, input: context.value });
    })
    .describe('subject of the certificate, compared whole; * stands for any characters except / and @'),
  claims: z
    .partialRecord(z.enum(claimNames), z.string().min(1))
    .refine((claims) => Object.keys(claims).length > 0, { message: 'asks for nothing' })
    .optional()
    .describe('Fulcio certificate extensions with the exact values they must have'),
  github: githubRun.optional().describe('which run of GitHub Actions it must have been'),
  ...window,
});
const inlineKey = z.strictObject({ key: z.string().min(1).describe('public key as PEM'), ...window });
const keyFile = z.strictObject({
  keyFile: z.string().min(1).describe('file with a public key as PEM, relative to the policy'),
  ...window,
});

/** One signer: an identity at an issuer, or a key, in the text or in a file beside it. */
export const signerSchema: z.ZodType<SignerShape> = z.union([keyless, inlineKey, keyFile]);
