import { type ExperimentalAlgorithm, experimentalAlgorithms } from '../attest/root-material.ts';
import { type ExceptionShape, exceptionSchema } from './exception.ts';
import {
  asking,
  choice,
  described,
  type Form,
  list,
  mapping,
  optional,
  table,
  text,
  textLike,
  textThat,
  whole,
} from './form.ts';
import { type MultiArch, signerNames } from './rule.ts';
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
  readonly layerCache?: { readonly signers: readonly string[] } | undefined;
  /** Parameters of the rules that hold in every scope, by rule name. */
  readonly [everywhere: string]: unknown;
}

interface TrustShape {
  readonly root?: string | undefined;
  readonly instances?: readonly string[] | undefined;
  readonly maxAge?: { readonly warn?: string | undefined; readonly deny?: string | undefined } | undefined;
  readonly logs?: LogsShape | undefined;
  readonly experimental?: readonly ExperimentalAlgorithm[] | undefined;
  readonly pins?: readonly string[] | undefined;
}

interface LogsShape {
  readonly keyless?: number | undefined;
  readonly key?: number | undefined;
}

const word = textLike(/^[A-Za-z0-9][\w-]{0,63}$/, 'is not a name: letters, digits, "_" and "-"');
const logs = optional(whole(0, 8));

const paramsOf = (isEverywhere: boolean) =>
  Object.fromEntries(
    rules.flatMap(({ everywhere = false, name, params, summary }) =>
      everywhere === isEverywhere ? [[name, optional(params, summary)]] : [],
    ),
  );

const scope: Form<ScopeShape> = mapping({
  match: described(
    textThat(
      (name) => toScope(name) !== undefined,
      'is not a scope: write a registry or registry/repository in full, without tag, digest or pattern',
    ),
    'registry, or registry and leading path components; the most specific scope decides',
  ),
  multiArch: optional(
    choice('either', 'index', 'platform'),
    'which digest of a multi-platform image must be signed; the default is index, the one that was asked for',
  ),
  require: asking(
    mapping(paramsOf(false)),
    'asks for nothing; an image that may always start needs no policy',
  ),
});

const trust: Form<TrustShape> = mapping({
  root: optional(text, 'trusted root file; the default is the public Sigstore instance'),
  instances: optional(
    list(textLike(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'is not the name of a Sigstore instance')),
    'Sigstore instances whose roots tcf keeps (tcf trust show); the default is sigstore',
  ),
  maxAge: optional(
    mapping({ warn: optional(durationText), deny: optional(durationText) }),
    'how old a trusted root may be; the default is to warn after 180d and to deny after 365d',
  ),
  logs: optional(
    mapping({ keyless: logs, key: logs }),
    'how many transparency logs must have seen a signature; the default is 1',
  ),
  pins: optional(
    list(word),
    'signers whose files of LLVM pins count, in the policies of the machine and of the user (tcf pins)',
  ),
  experimental: optional(
    list(choice(...experimentalAlgorithms)),
    'algorithms of logs and authorities that count besides the standard ones; the default is none',
  ),
});

/** The policy document, version 1: the types, the errors and the JSON Schema for editors come from here. */
export const documentSchema: Form<DocumentShape> = mapping({
  version: choice(1),
  trust: optional(trust),
  signers: described(table(word, signerSchema), 'who may sign, by a name of your choice'),
  scopes: described(list(scope), 'what is asked of which images; images in no scope are denied'),
  exceptions: optional(list(exceptionSchema), 'images for which some rules only warn, for a while'),
  layerCache: optional(
    mapping({ signers: described(signerNames, 'names from signers; one of them must have signed') }),
    'signers whose records of layers are used (tcf sbom --cache-from); the default is none',
  ),
  ...paramsOf(true),
});

/** JSON Schema (2020-12) of policies, for editors. */
export function toPolicyJsonSchema(): unknown {
  return {
    title: 'tcf policy',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...documentSchema.schema(),
  };
}
