import { createPublicKey } from 'node:crypto';
import type { ExperimentalAlgorithm } from '../attest/root-material.ts';
import { encodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { byCodeUnit, printable, quoted } from '../base/text.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { ExceptionShape } from './exception.ts';
import type { Compile, Expression } from './expression.ts';
import { readForm } from './form.ts';
import { signerKey } from './identity.ts';
import type { MultiArch, SigningTerms } from './rule.ts';
import { type ExpressionsParams, expressions } from './rules/expressions.ts';
import { rules } from './rules/index.ts';
import { type DocumentShape, documentSchema, type ScopeShape } from './schema.ts';
import { spellingsOf, toScope } from './scope.ts';
import type { TrustedSigner } from './signer.ts';
import type { SignerShape } from './signer-schema.ts';
import { toMilliseconds } from './times.ts';
import { type Path, parseStrictYaml, type YamlDocument } from './yaml.ts';

/**
 * Who put a policy where it was loaded from: the administrator of the machine, the user, the command line, or
 * the project.
 */
export type PolicyOrigin = 'given' | 'machine' | 'project' | 'user';

/** A policy that has been read and makes sense: every name leads somewhere, every key is a key. */
export interface Policy {
  /** How the caller calls it: a file name. */
  readonly name: string;
  readonly origin: PolicyOrigin;
  /** SHA-256 of the text and of the keys it names by file: another digest, another policy. */
  readonly digest: Digest;
  readonly trust: PolicyTrust;
  readonly signers: ReadonlyMap<string, TrustedSigner>;
  readonly scopes: readonly Scope[];
  readonly exceptions: readonly ExceptionShape[];
  /** Names of the signers whose records of layers count in a shared cache; nobody where there are none. */
  readonly layerCache: readonly string[];
  /** Its CEL expressions by their text, ready to be asked. */
  readonly expressions: ReadonlyMap<string, Expression>;
}

export interface PolicyTrust {
  /** Trusted root file as written, relative to the policy. */
  readonly root?: string;
  /** Names of the Sigstore instances to believe where there is no `root`, each a closed domain. */
  readonly instances: readonly string[];
  /** Milliseconds after which a root is too old; absent: the policy does not say. */
  readonly maxAge?: { readonly warn?: number; readonly deny?: number };
  /** Transparency logs that must have seen a signature. */
  readonly logs: { readonly keyless: number; readonly key: number };
  /** Algorithms of logs and authorities that count besides the standard ones. */
  readonly experimental: readonly ExperimentalAlgorithm[];
  /** Names of the signers whose files of LLVM pins count. */
  readonly pins: readonly string[];
}

export interface Scope {
  /** Canonical; distinct within a policy. */
  readonly match: string;
  readonly multiArch: MultiArch;
  /** Parameters by rule name, each read by its rule. Never empty. */
  readonly require: Readonly<Record<string, unknown>>;
}

/** What a policy needs beside its text; `draftPolicy` says which of it. */
export interface PolicyNeeds {
  /** Where it was loaded from; `given` where nothing is said. */
  readonly origin?: PolicyOrigin;
  /** PEM texts of key files by the name under which the policy mentions them. */
  readonly keyFiles?: Readonly<Record<string, string>>;
  /**
   * What turns CEL into something to ask: `compile` of `cel.ts`. Without it a policy with expressions is
   * refused.
   */
  readonly compile?: Compile;
}

/** A policy whose form is right, before what it names was brought. */
export interface PolicyDraft {
  /** Key files as written in the policy. */
  readonly keyFiles: readonly string[];
  /** Whether it has CEL expressions. */
  readonly cel: boolean;
  /** @throws TcfError `policy.malformed` (exit 3) with line, column and path. */
  readonly complete: (needs: PolicyNeeds) => Policy;
}

/**
 * Reads a policy in YAML or JSON. `name` stands in messages.
 *
 * @throws TcfError `policy.malformed` (exit 3) with line, column and path.
 */
export function parsePolicy(text: string, name: string, needs: PolicyNeeds = {}): Policy {
  return draftPolicy(text, name).complete(needs);
}

/** Reads the form of a policy and says what it needs. @throws TcfError `policy.malformed` (exit 3). */
export function draftPolicy(text: string, name: string): PolicyDraft {
  const yaml = parseStrictYaml(text, name);
  const read = readForm(documentSchema, yaml.value);
  if (!read.ok) {
    const { message, more, path } = read.reason;
    throw yaml.wrong(path, printable(message), more);
  }
  const document = read.value;
  return {
    keyFiles: Object.values(document.signers).flatMap(({ keyFile }) => keyFile ?? []),
    cel: expressionsIn(document).length > 0,
    complete: (needs) => completePolicy(text, name, document, yaml, needs),
  };
}

function completePolicy(
  text: string,
  name: string,
  document: DocumentShape,
  yaml: YamlDocument,
  { compile, keyFiles = {}, origin = 'given' }: PolicyNeeds,
): Policy {
  const signers = new Map<string, TrustedSigner>();
  for (const [signer, shape] of Object.entries(document.signers)) {
    signers.set(signer, toSigner(signer, shape, keyFiles, yaml));
  }
  refuseTwins(signers, yaml);
  const everywhere = Object.fromEntries(
    rules.flatMap(({ everywhere, name }) =>
      everywhere && document[name] !== undefined ? [[name, document[name]]] : [],
    ),
  );
  const scopes = document.scopes.map((scope, index) => {
    const { match, multiArch, require } = toPolicyScope(scope, index, signers, yaml);
    return { match, multiArch, require: { ...require, ...everywhere } };
  });
  refuseSameScopes(scopes, yaml);
  return {
    name,
    origin,
    digest: policyDigest(text, document, signers),
    trust: toTrust(document, yaml),
    signers,
    scopes,
    exceptions: document.exceptions ?? [],
    layerCache: toLayerCache(document, yaml),
    expressions: compileAll(document, compile, yaml),
  };
}

/** Two scopes about the same images: which of them decides would be anybody's guess. */
function refuseSameScopes(scopes: readonly Scope[], yaml: YamlDocument): void {
  scopes.forEach(({ match }, index) => {
    const before = scopes
      .slice(0, index)
      .find((scope) => spellingsOf(scope.match).some((one) => spellingsOf(match).includes(one)));
    if (before === undefined) {
      return;
    }
    const why = before.match === match ? 'stands twice' : `means the same image as ${quoted(before.match)}`;
    throw yaml.wrong(['scopes', index, 'match'], `${quoted(match)} ${why}`, {
      hint: 'put everything that is asked of these images into one scope',
    });
  });
}

function toTrust({ signers, trust: shape }: DocumentShape, yaml: YamlDocument): PolicyTrust {
  const { experimental = [], instances, logs, maxAge, pins = [], root } = shape ?? {};
  const unknown = pins.findIndex((name) => !Object.hasOwn(signers, name));
  if (unknown >= 0) {
    throw yaml.wrong(['trust', 'pins', unknown], `${quoted(pins[unknown] ?? '')} is not one of the signers`);
  }
  if (root !== undefined && instances !== undefined) {
    throw yaml.wrong(['trust', 'instances'], 'is given together with a root; only one of them can be meant', {
      hint: 'name the file, or name instances; tcf trust import makes an instance of a file',
    });
  }
  const { deny, warn } = maxAge ?? {};
  return compact({
    root,
    instances: instances ?? ['sigstore'],
    ...(maxAge === undefined
      ? {}
      : {
          maxAge: {
            ...(warn === undefined ? {} : { warn: toMilliseconds(warn) }),
            ...(deny === undefined ? {} : { deny: toMilliseconds(deny) }),
          },
        }),
    logs: { keyless: logs?.keyless ?? 1, key: logs?.key ?? 1 },
    experimental,
    pins,
  });
}

function toLayerCache({ layerCache, signers }: DocumentShape, yaml: YamlDocument): readonly string[] {
  const names = layerCache?.signers ?? [];
  const unknown = names.findIndex((name) => !Object.hasOwn(signers, name));
  if (unknown < 0) {
    return names;
  }
  throw yaml.wrong(
    ['layerCache', 'signers', unknown],
    `names ${quoted(names[unknown] ?? '')}, which signers does not define`,
  );
}

function expressionsIn({ scopes }: DocumentShape): readonly { readonly that: string; readonly path: Path }[] {
  return scopes.flatMap(({ require }, index) => {
    const params = require[expressions.name] as ExpressionsParams | undefined;
    return (params?.all ?? []).map(({ that }, at) => ({
      that,
      path: ['scopes', index, 'require', expressions.name, 'all', at, 'that'],
    }));
  });
}

function compileAll(
  document: DocumentShape,
  compile: Compile | undefined,
  yaml: YamlDocument,
): ReadonlyMap<string, Expression> {
  return new Map(
    expressionsIn(document).map(({ path, that }) => {
      if (compile === undefined) {
        throw yaml.wrong(path, 'is a CEL expression, but no engine for CEL was loaded');
      }
      try {
        return [that, compile(that)];
      } catch (error) {
        if (error instanceof TcfError) {
          throw yaml.wrong(path, error.message);
        }
        throw error;
      }
    }),
  );
}

function toSigner(
  name: string,
  shape: SignerShape,
  keyFiles: Readonly<Record<string, string>>,
  yaml: YamlDocument,
): TrustedSigner {
  const { claims = {}, github, identity, issuer, key, keyFile } = shape;
  const common = { name, ...windowOf(name, shape, yaml) };
  if (issuer !== undefined && identity !== undefined) {
    const run = github === undefined ? {} : { github };
    return { kind: 'keyless', ...common, issuer, identity, claims, ...run };
  }
  const path = ['signers', name, keyFile === undefined ? 'key' : 'keyFile'];
  const pem = keyFile === undefined ? key : new Map(Object.entries(keyFiles)).get(keyFile);
  if (pem === undefined) {
    throw yaml.wrong(path, `names the key file ${quoted(keyFile ?? '')}, which was not read`);
  }
  // createPublicKey takes private keys and certificates too; a policy must not become the place where those
  // lie about.
  if (!/^\s*-----BEGIN PUBLIC KEY-----[^-]*-----END PUBLIC KEY-----\s*$/.test(pem)) {
    throw yaml.wrong(path, 'is not a public key', {
      hint: 'a PEM block that begins with "-----BEGIN PUBLIC KEY-----"',
    });
  }
  return { kind: 'key', ...common, pem, fingerprint: fingerprintOf(pem, path, yaml) };
}

function windowOf(
  name: string,
  { notAfter, notBefore }: SignerShape,
  yaml: YamlDocument,
): Pick<TrustedSigner, 'validFor'> {
  if (notBefore === undefined && notAfter === undefined) {
    return {};
  }
  const start = notBefore === undefined ? {} : { start: new Date(notBefore) };
  const end = notAfter === undefined ? {} : { end: new Date(notAfter) };
  if (start.start !== undefined && end.end !== undefined && start.start >= end.end) {
    throw yaml.wrong(['signers', name, 'notAfter'], 'is not later than notBefore');
  }
  return { validFor: { ...start, ...end } };
}

function fingerprintOf(pem: string, path: Path, yaml: YamlDocument): Digest {
  try {
    return digestOf(new Uint8Array(createPublicKey(pem).export({ type: 'spki', format: 'der' })));
  } catch (error) {
    if (error instanceof Error && 'code' in error) {
      throw yaml.wrong(path, 'is not a public key that can be read');
    }
    throw error;
  }
}

/** One key or identity under two names would look like two signers. */
function refuseTwins(signers: ReadonlyMap<string, TrustedSigner>, yaml: YamlDocument): void {
  const seen = new Map<string, string>();
  for (const [name, signer] of signers) {
    const who =
      signer.kind === 'key'
        ? signer.fingerprint
        : JSON.stringify([signer.issuer, signer.identity, signer.claims, signer.github]);
    const before = seen.get(who);
    if (before !== undefined) {
      throw yaml.wrong(['signers', name], `is the same signer as ${before}`);
    }
    seen.set(who, name);
  }
}

function toPolicyScope(
  shape: ScopeShape,
  index: number,
  signers: ReadonlyMap<string, TrustedSigner>,
  yaml: YamlDocument,
): Scope {
  const { match, multiArch = 'index', require } = shape;
  for (const { params, path } of termsIn(require, ['scopes', index, 'require'])) {
    for (const [position, name] of params.by.entries()) {
      if (!signers.has(name)) {
        throw yaml.wrong([...path, 'by', position], `names ${quoted(name)}, which signers does not define`);
      }
    }
    refuseUnreachable(params, path, signers, yaml);
  }
  for (const rule of rules) {
    const source = require[rule.name] === undefined ? undefined : rule.reads?.(require[rule.name]);
    if (source === undefined || require[source] !== undefined) {
      continue;
    }
    throw yaml.wrong(
      ['scopes', index, 'require', rule.name],
      `looks into the ${evidenceNames[source]}, but nothing says whose ${evidenceNames[source]} to believe`,
      { hint: `require ${source} in the same scope` },
    );
  }
  return { match: toScope(match) ?? match, multiArch, require };
}

const evidenceNames = { provenance: 'provenance', sbom: 'SBOM' } as const;

/** A threshold that all these signers together cannot reach denies for ever, and nobody means that. */
function refuseUnreachable(
  { by, threshold = 1 }: SigningTerms,
  path: Path,
  signers: ReadonlyMap<string, TrustedSigner>,
  yaml: YamlDocument,
): void {
  const keys = new Set(by.flatMap((name) => signers.get(name) ?? []).map(keyOf));
  const isOpen = [...keys].some((key) => key.includes('*'));
  if (threshold > keys.size && !isOpen) {
    throw yaml.wrong([...path, 'threshold'], `is ${threshold}, but only ${keys.size} can sign`, {
      hint: 'name more signers under by; one mailbox, and one workflow at several refs, is one signer',
    });
  }
}

/** As `signerKey` of who signs; with a `*` where the signer of a policy stands for several. */
function keyOf(signer: TrustedSigner): string {
  return signer.kind === 'key' ? signer.fingerprint : signerKey({ ...signer, claims: {} });
}

interface PlacedTerms {
  readonly params: SigningTerms;
  readonly path: Path;
}

/**
 * Every place in the parameters of rules that names signers under `by`, however deep. The rules have checked
 * what stands there.
 */
function termsIn(value: unknown, path: Path): readonly PlacedTerms[] {
  // Parameters of a build are the builder's words, and `by` may be one of them.
  if (typeof value !== 'object' || value === null || path.at(-1) === 'parameters') {
    return [];
  }
  const inner = Object.entries(value).flatMap(([key, child]) =>
    termsIn(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return isTerms(value) ? [{ params: value, path }, ...inner] : inner;
}

function isTerms(value: object): value is SigningTerms {
  return 'by' in value && Array.isArray(value.by) && value.by.every((name) => typeof name === 'string');
}

function policyDigest(
  text: string,
  document: DocumentShape,
  signers: ReadonlyMap<string, TrustedSigner>,
): Digest {
  const byFile = Object.entries(document.signers).flatMap(([name, { keyFile }]) => {
    const signer = signers.get(name);
    return keyFile !== undefined && signer?.kind === 'key' ? [`\n${name} ${signer.fingerprint}`] : [];
  });
  return digestOf(encodeUtf8([text, ...byFile.sort(byCodeUnit)].join('')));
}
