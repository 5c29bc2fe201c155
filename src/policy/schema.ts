import { z } from 'zod';
import { type ExceptionShape, exceptionSchema } from './exception.ts';
import type { MultiArch, Rule } from './rule.ts';
import { rules } from './rules/index.ts';
import { toScope } from './scope.ts';
import { type SignerShape, signerSchema } from './signer-schema.ts';
import { durationText } from './times.ts';

export interface ScopeShape {
  readonly match: string;
  readonly multiArch?: MultiArch | undefined;
  readonly require: Readonly<Record<string, unknown>>;
}

export interface DocumentShape {
  readonly version: 1;
  readonly trust?: TrustShape | undefined;
  readonly signers: Readonly<Record<string, SignerShape>>;
  readonly scopes: readonly ScopeShape[];
  readonly exceptions?: readonly ExceptionShape[] | undefined;
  /** Parameters of the rules that hold in every scope, by rule name. */
  readonly [everywhere: string]: unknown;
}

interface TrustShape {
  readonly root?: string | undefined;
  readonly instances?: readonly string[] | undefined;
  readonly maxAge?: { readonly warn?: string | undefined; readonly deny?: string | undefined } | undefined;
  readonly logs?: LogsShape | undefined;
}

interface LogsShape {
  readonly keyless?: number | undefined;
  readonly key?: number | undefined;
}

const word = z.string().regex(/^[A-Za-z0-9][\w-]{0,63}$/, 'is not a name: letters, digits, "_" and "-"');
const logs = z.int().min(0).max(8).optional();

function paramsOf(rule: Rule): [string, z.ZodType] {
  return [rule.name, rule.params.optional().describe(rule.summary)];
}

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
    .strictObject(Object.fromEntries(rules.flatMap((rule) => (rule.everywhere ? [] : [paramsOf(rule)]))))
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
      instances: z
        .array(z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'is not the name of a Sigstore instance'))
        .min(1)
        .optional()
        .describe('Sigstore instances whose roots tcf keeps (tcf trust show); the default is sigstore'),
      maxAge: z
        .strictObject({ warn: durationText.optional(), deny: durationText.optional() })
        .optional()
        .describe('how old a trusted root may be; the default is to warn after 180d and to deny after 365d'),
      logs: z
        .strictObject({ keyless: logs, key: logs })
        .optional()
        .describe('how many transparency logs must have seen a signature; the default is 1'),
    })
    .optional(),
  signers: z.record(word, signerSchema).describe('who may sign, by a name of your choice'),
  scopes: z.array(scope).min(1).describe('what is asked of which images; images in no scope are denied'),
  exceptions: z
    .array(exceptionSchema)
    .min(1)
    .optional()
    .describe('images for which some rules only warn, for a while'),
  ...Object.fromEntries(rules.flatMap((rule) => (rule.everywhere ? [paramsOf(rule)] : []))),
});

/** JSON Schema (2020-12) of policies, for editors. */
export function toPolicyJsonSchema(): unknown {
  return { title: 'tcf policy', ...z.toJSONSchema(documentSchema, { io: 'input' }) };
}
