import { basename, dirname, relative, resolve } from 'node:path';
import { isProvenance, type ProvenanceFacts } from '../attest/provenance.ts';
import { predicateTypes } from '../attest/statement.ts';
import { decodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { SignedFacts, Verdict } from '../policy/decide.ts';
import { parsePolicy } from '../policy/document.ts';
import {
  type FirstPolicy,
  type FirstRule,
  type FirstSigner,
  firstRules,
  formatFirstPolicy,
} from '../policy/first-policy.ts';
import { buildTermsOf } from '../policy/first-provenance.ts';
import { wordOfPredicate } from '../report/predicate-word.ts';
import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { maxKey } from './trust/trust.ts';
import { tryPolicies, type Verification, type VerifyRequest } from './verify-image.ts';

export interface InitPolicyRequest extends VerifyRequest {
  /** Where the policy will lie: files that it names are named from there. */
  readonly output: string;
  readonly signer:
    | { readonly kind: 'github'; readonly workflow: string }
    | { readonly kind: 'key'; readonly file: string };
  /** `registry/repository`; default: that of the image. */
  readonly match?: string;
}

/** A policy that allows the image today, or why there is none. */
export type InitPolicy =
  | { readonly kind: 'made'; readonly text: string; readonly rules: readonly FirstRule[] }
  | { readonly kind: 'denied'; readonly verdict: Verdict };

/**
 * Makes a first policy from what is attached to an image: of the rules on offer those that it keeps today, by
 * the signer that the user names. What comes out was tried and allows the image; nothing in it was made wider
 * so that it does. An image that this signer did not sign gets no policy.
 *
 * @throws TcfError `policy.signer`, `file.unreadable` (exit 3), and as `verifyImage` does.
 */
export async function initPolicy(host: Host, request: InitPolicyRequest): Promise<InitPolicy> {
  const { trustedRoot } = request;
  const folder = dirname(resolve(host.cwd, request.output));
  const fromPolicy = (file: string): string => relative(folder, resolve(host.cwd, file)) || basename(file);
  const root = trustedRoot === undefined ? undefined : fromPolicy(trustedRoot);
  const signer = await readSigner(host, request.signer, fromPolicy);
  const found = await findTrial(host, request, signer);
  if (!found.isKept('signed')) {
    return { kind: 'denied', verdict: found.verdict };
  }
  const own = narrow(signer, found.verdict);
  const build = buildTermsOf(found.provenances);
  const narrowed = { ...found.draft, signer: own, build, others: othersBy(own, found.verdict) };
  const rules = firstRules.filter(found.isKept);
  const broken = new Map(
    firstRules.flatMap((rule) => (found.isKept(rule) ? [] : [[rule, found.reasonOf(rule)]])),
  );
  const image = formatPinnedRef(found.verdict.image);
  const first: FirstPolicy = compact({ ...narrowed, rules, broken, root, image });
  const { verdict } = await tryFirst(host, request, first);
  return verdict.verdict === 'allow'
    ? { kind: 'made', text: formatFirstPolicy(first), rules }
    : { kind: 'denied', verdict };
}

/** What else the signer attests, in words: a signature, an SBOM and a provenance have their rules. */
function othersBy(signer: FirstSigner, { candidates }: Verdict): readonly string[] {
  const types = candidates.flatMap(({ signed }) =>
    signed !== undefined && isBy(signer, signed) && !isAskedFor(signed.predicateType)
      ? [signed.predicateType]
      : [],
  );
  return [...new Set(types)].sort().map((type) => {
    const word = wordOfPredicate(type);
    return word === type ? type : `${word}, ${type}`;
  });
}

/** The only key that proves anything in the trial is the one that the user named. */
function isBy(signer: FirstSigner, { identity }: SignedFacts): boolean {
  return identity === undefined
    ? signer.kind === 'key'
    : signer.kind === 'workflow' && signer.identities.includes(identity);
}

const isAskedFor = (type: string): boolean =>
  type === predicateTypes.signature || type.startsWith(predicateTypes.cyclonedx) || isProvenance(type);

interface Trial {
  readonly draft: FirstPolicy;
  readonly verdict: Verdict;
  readonly provenances: readonly ProvenanceFacts[];
  readonly isKept: (rule: FirstRule) => boolean;
  readonly reasonOf: (rule: FirstRule) => string;
}

/**
 * All rules at once. A key is first asked for signatures in a transparency log, and for others only where
 * there are none.
 */
async function findTrial(host: Host, request: InitPolicyRequest, signer: FirstSigner): Promise<Trial> {
  const match = request.match ?? (await scopeOf(host, request));
  const trial = async (isLogged: boolean): Promise<Trial> => {
    const draft: FirstPolicy = { signer, match, rules: firstRules, isLogged };
    const { provenances, verdict } = await tryFirst(host, request, draft);
    const findings = verdict.decisions.flatMap((decision) => decision.findings);
    const findingOf = (rule: FirstRule) => findings.find((finding) => finding.rule === rule);
    return {
      draft,
      verdict,
      provenances: provenances(),
      isKept: (rule) => findingOf(rule)?.outcome === 'pass',
      reasonOf: (rule) => findingOf(rule)?.message ?? 'it was not looked at',
    };
  };
  if (signer.kind === 'workflow') {
    return await trial(true);
  }
  const logged = await trial(true).catch(passTrust);
  return logged?.isKept('signed') === true ? logged : await trial(false);
}

/** Without a trusted root nobody can tell whether a log has seen a signature, and a key needs none. */
function passTrust(error: unknown): undefined {
  if (error instanceof TcfError && error.code.startsWith('trust.')) {
    return undefined;
  }
  throw error;
}

async function tryFirst(host: Host, request: InitPolicyRequest, first: FirstPolicy): Promise<Verification> {
  const { signer } = first;
  const keyFiles = signer.kind === 'key' ? { [signer.file]: signer.pem } : {};
  // The root of the trial is that of the command line; in the text it is named from where the policy will
  // lie.
  const { root: _root, ...tried } = first;
  const policy = parsePolicy(formatFirstPolicy(tried), request.output, { keyFiles, origin: 'given' });
  return await tryPolicies(host, { ...request, verb: 'policy init' }, [policy]);
}

/**
 * The name by which policies know the image, of whatever source: without a policy nothing more is said of it.
 */
async function scopeOf(host: Host, request: InitPolicyRequest): Promise<string> {
  const { image } = (await tryPolicies(host, request, [])).verdict;
  return `${image.registry}/${image.repository}`;
}

async function readSigner(
  host: Host,
  signer: InitPolicyRequest['signer'],
  fromPolicy: (file: string) => string,
): Promise<FirstSigner> {
  if (signer.kind === 'github') {
    return workflowSigner(signer.workflow);
  }
  const { file } = signer;
  const pem = decodeUtf8(await readUserFile(host, file, maxKey, 'the key')) ?? '';
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) {
    throw askedWrongly('policy.signer', `${quoted(file)} is not a public key`, {
      hint: `name the public one, such as ${file.replace(/\.(?:key|pem)$/, '')}.pub; the private key stays where it is`,
    });
  }
  return { kind: 'key', name: nameFor(basename(file).replace(/\.\w+$/, '')), file: fromPolicy(file), pem };
}

/**
 * `OWNER/REPO/WORKFLOW`, where the workflow is a file of `.github/workflows`, and `@REF` where it is known.
 */
function workflowSigner(text: string): FirstSigner {
  const [, repository, file, ref] =
    /^([\w.-]+\/[\w.-]+)\/([\w.-]+\.ya?ml)(?:@(refs\/[\w./-]+))?$/.exec(text) ?? [];
  if (repository === undefined || file === undefined) {
    throw askedWrongly('policy.signer', `cannot read --github ${quoted(text)}`, {
      hint: 'write OWNER/REPO/WORKFLOW, such as acme/app/build.yml, with @refs/heads/main where only that may sign',
    });
  }
  const start = `https://github.com/${repository}/.github/workflows/${file}@`;
  return {
    kind: 'workflow',
    name: nameFor(repository.split('/')[1] ?? 'release'),
    workflow: `${repository}/${file}`,
    identities: ref === undefined ? [`${start}refs/heads/*`, `${start}refs/tags/*`] : [`${start}${ref}`],
  };
}

/**
 * Of the branches and tags that were tried the one that has signed: the policy names it exactly.
 *
 * @throws TcfError `policy.signer` (exit 3) where several have.
 */
function narrow(signer: FirstSigner, { candidates }: Verdict): FirstSigner {
  if (signer.kind === 'key' || signer.identities.every((identity) => !identity.endsWith('*'))) {
    return signer;
  }
  const starts = signer.identities.map((identity) => identity.slice(0, -1));
  const seen = new Set(
    candidates
      .flatMap(({ signed }) => signed?.identity ?? [])
      .filter((one) => starts.some((start) => one.startsWith(start))),
  );
  if (seen.size === 1) {
    return { ...signer, identities: [...seen] };
  }
  const refs = [...seen].map((identity) => identity.slice(identity.indexOf('@') + 1));
  throw askedWrongly('policy.signer', `${signer.workflow} has signed from ${refs.join(' and ')}`, {
    hint: `say which of them may: --github ${signer.workflow}@${refs[0] ?? 'refs/heads/main'}`,
  });
}

/** A name that YAML reads as a text and that needs no quotes. */
function nameFor(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '');
  return plain === '' || /^(?:y|n|yes|no|on|off|true|false|null)$/.test(plain) ? 'team' : plain;
}
