import { z } from 'zod';
import type { MultiArch } from './rule.ts';
import { rules } from './rules/index.ts';
import { toScope } from './scope.ts';
import { identityProblem } from './signer.ts';

/** The names of the Fulcio extensions a policy may ask about (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md). */
const claimNames = [
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
  readonly claims?: Readonly<Record<string, string>> | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface ScopeShape {
  readonly match: string;
  readonly multiArch?: MultiArch | undefined;
  readonly require: Readonly<Record<string, unknown>>;
}

export interface DocumentShape {
  readonly version: 1;
  readonly trust?: { readonly root?: string | undefined; readonly logs?: LogsShape | undefined } | undefined;
  readonly signers: Readonly<Record<string, SignerShape>>;
  readonly scopes: readonly ScopeShape[];
}

interface LogsShape {
  readonly keyless?: number | undefined;
  readonly key?: number | undefined;
}

const word = z.string().regex(/^[A-Za-z0-9][\w-]{0,63}$/, 'is not a name: letters, digits, "_" and "-"');
const logs = z.int().min(0).max(8).optional();

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
});
const inlineKey = z.strictObject({ key: z.string().min(1).describe('public key as PEM') });
const keyFile = z.strictObject({
  keyFile: z.string().min(1).describe('file with a public key as PEM, relative to the policy'),
});

const scope = z.strictObject({
  match: z
    .string()
    .refine((text) => toScope(text) !== undefined, {
      message:
        'is not a scope: write a registry or registry/repository in full, without tag, digest or pattern',
    })
    .describe('registry, or registry and leading path components; the most specific scope decides'),
  multiArch: z
    .enum(['either', 'index', 'platform'])
    .optional()
    .describe(
      'which digest of a multi-platform image must be signed; the default is index, the one that was asked for',
    ),
  require: z
    .strictObject(
      Object.fromEntries(rules.map((rule) => [rule.name, rule.params.optional().describe(rule.summary)])),
    )
    .refine((required) => Object.values(required).some((params) => params !== undefined), {
      message: 'asks for nothing; an image that may always start needs no policy',
    }),
});

/** The policy document, version 1: the types, the errors and the JSON Schema for editors come from here. */
export const documentSchema: z.ZodType<DocumentShape> = z.strictObject({
  version: z.literal(1),
  trust: z
    .strictObject({
      root: z
        .string()
        .min(1)
        .optional()
        .describe('trusted root file; the default is the public Sigstore instance'),
      logs: z
        .strictObject({ keyless: logs, key: logs })
        .optional()
        .describe('how many transparency logs must have seen a signature; the default is 1'),
    })
    .optional(),
  signers: z
    .record(word, z.union([keyless, inlineKey, keyFile]))
    .describe('who may sign, by a name of your choice'),
  scopes: z.array(scope).min(1).describe('what is asked of which images; images in no scope are denied'),
});

/** JSON Schema (2020-12) of policies, for editors. */
export function toPolicyJsonSchema(): unknown {
  return { title: 'tcf policy', ...z.toJSONSchema(documentSchema, { io: 'input' }) };
}
