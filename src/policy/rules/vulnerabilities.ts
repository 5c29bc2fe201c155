import { TcfError } from '../../base/error.ts';
import { plural, printable } from '../../base/text.ts';
import type { SbomFacts } from '../../bom/read.ts';
import { applyVex, type TrustedVex, type UnusedVex } from '../../vulns/apply-vex.ts';
import type { AttestedScan } from '../../vulns/attested-scan.ts';
import { type Baseline, newFindings, newSince, toBaseline } from '../../vulns/baseline.ts';
import { isEcosystem } from '../../vulns/ecosystems.ts';
import { defaultOrder } from '../../vulns/findings.ts';
import { findVulnerabilities } from '../../vulns/match.ts';
import { counts, doubtsOf, type VulnFinding, type VulnScan } from '../../vulns/scan.ts';
import { parseVex, type VexDocument, type VexStatement } from '../../vulns/vex.ts';
import { describeRest, isEnough, matchCandidates } from '../attestations.ts';
import { type Evidence, manifestsOf } from '../evidence.ts';
import { choice, described, type Form, list, mapping, optional, textLike, textThat } from '../form.ts';
import {
  type CommonParams,
  mode,
  type Rule,
  type RuleContext,
  type SigningTerms,
  signingTerms,
} from '../rule.ts';
import { scansInForce } from '../scans.ts';
import { durationText, instantText, isInFuture, toMilliseconds } from '../times.ts';
import { sbomsInForce } from './sbom.ts';
import { type Said, sayWorst, worstOf } from './worst.ts';

const bounds = ['critical', 'high', 'medium', 'low'] as const;

export interface VulnerabilitiesParams extends CommonParams {
  readonly severity?: (typeof bounds)[number] | undefined;
  readonly unknownSeverity?: 'allow' | 'deny' | undefined;
  readonly fixable?: true | undefined;
  readonly fixAge?: string | undefined;
  readonly origin?: 'added' | 'base' | undefined;
  readonly ecosystems?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
  readonly missingUpdates?: 'allow' | 'deny' | undefined;
  readonly sources?: readonly string[] | undefined;
  readonly data?: { readonly maxAge: string } | undefined;
  readonly whenUnknown?: 'allow' | 'deny' | undefined;
  readonly scan?: SigningTerms | undefined;
  readonly vex?: SigningTerms | undefined;
  readonly baseline?: 'any' | 'attested' | undefined;
  readonly warnUntil?: string | undefined;
}

const word = textLike(/^[!-~](?:[ -~]{0,100}[!-~])?$/, 'is not a name');
const yesOrNo = choice('allow', 'deny');
const ecosystem = textThat(
  isEcosystem,
  'is not an ecosystem as OSV writes it: PyPI, Go, crates.io, npm, NVIDIA, Debian, Debian:12',
);
/** Databases write their ids in one way, and they are compared whole. */
const advisoryId = textLike(
  /^(?:CVE-\d{4}-\d{4,19}|GHSA(?:-[0-9a-z]{4}){3}|(?!CVE-|GHSA-)[A-Z][A-Za-z0-9]*-[\w:.-]{1,100})$/,
  'is not the id of an advisory, without patterns: CVE-2024-3094, GHSA-rxwq-x6h5-x525, DSA-5649-1',
);

const params: Form<VulnerabilitiesParams> = mapping({
  severity: optional(choice(...bounds), 'what is less severe does not deny; the default is low'),
  unknownSeverity: optional(yesOrNo, 'what to do about an unknown severity; the default is deny'),
  fixable: optional(choice(true), 'only what has a fix denies'),
  fixAge: optional(
    durationText,
    'what was fixed less than this ago does not deny yet: 14d; the clock starts when the fix is published',
  ),
  origin: optional(
    choice('added', 'base'),
    'only what was added to the base image denies, or only what came with it (tcf sbom --base)',
  ),
  ecosystems: optional(
    list(ecosystem),
    'only packages of these deny: PyPI, Go, crates.io, NVIDIA, Debian:12',
  ),
  deny: optional(
    list(advisoryId),
    'ids that deny whatever their severity, fix, origin or ecosystem: CVE-2024-3094',
  ),
  missingUpdates: optional(
    yesOrNo,
    'what to do about updates for security that the archive of the distribution has; the default is deny',
  ),
  sources: optional(
    list(word),
    'whose word counts where sources differ, first ones first: distribution, GHSA, PYSEC; the default is distribution, then GHSA and PYSEC alike',
  ),
  data: optional(
    mapping({ maxAge: described(durationText, 'how old the data may be: 7d') }),
    'what is asked of the data',
  ),
  whenUnknown: optional(yesOrNo, 'what to do about components that cannot be judged; the default is deny'),
  scan: optional(
    mapping(signingTerms),
    'a scan that these signers attest (tcf sign --attest-vulns), in place of the database of this machine',
  ),
  vex: optional(mapping(signingTerms), 'whose VEX counts, attested for this image'),
  baseline: optional(
    choice('attested', 'any'),
    'at tcf gate only what is new denies: attested takes an image whose attested SBOM this policy accepts (--baseline, or the one before under this name), any a file as well',
  ),
  warnUntil: optional(instantText, 'until then the rule warns, and denies from then on'),
  mode,
});

/** What the rule looks at, whoever has scanned. */
interface Scanned {
  readonly findings: readonly VulnFinding[];
  /** Packages that lack an update for security. */
  readonly missingUpdates: readonly string[];
  /** Of components and records; `undefined`: the scanner does not say. */
  readonly doubts: number | undefined;
  readonly dataDate: string | undefined;
  readonly note: string;
}

export const vulnerabilities: Rule<VulnerabilitiesParams> = {
  name: 'vulnerabilities',
  summary: 'No component has a known vulnerability that the policy does not accept.',
  params,
  reads: ({ scan }) => (scan === undefined ? 'sbom' : undefined),
  evaluate(terms, evidence, context) {
    const finding =
      terms.scan === undefined
        ? sayWorst('vulnerabilities', sbomsInForce(evidence, context), (facts) =>
            judgeSbom(facts, terms, evidence, context),
          )
        : judgeAttested(terms.scan, terms, evidence, context);
    return { ...finding, expected: describeDemands(terms) };
  },
};

function describeDemands({ data, deny, fixable, severity = 'low' }: VulnerabilitiesParams): string {
  const what = `no ${fixable === true ? 'fixable ' : ''}vulnerability of severity ${severity} or worse`;
  return [
    what,
    ...(deny === undefined ? [] : [`none of ${deny.slice(0, 5).join(', ')}`]),
    ...(data === undefined ? [] : [`data not older than ${data.maxAge}`]),
  ].join(', ');
}

function judgeSbom(
  facts: SbomFacts,
  terms: VulnerabilitiesParams,
  evidence: Evidence,
  context: RuleContext,
): Said {
  const { vulnerabilities: found } = evidence;
  if (found === undefined || !found.ok) {
    return {
      outcome: 'cannot-tell',
      message: `there is no data about vulnerabilities: ${printable(found?.reason.message ?? 'no database was opened')}`,
      hint: 'get a database with tcf db pull, or ask for a scan by a signer',
    };
  }
  const { data, taken } = found.value;
  const order = terms.sources === undefined ? defaultOrder : terms.sources.map((name) => [name]);
  const scan = findVulnerabilities(facts, data, order);
  const { scan: whole, unused } = applyVex(scan, facts.subject, vexOf(terms, evidence, context));
  const { before, note } = baselineOf(terms, evidence, (sbom) => findVulnerabilities(sbom, data, order));
  const judged = before === undefined ? whole : newSince(whole, before);
  const { unjudged, unread } = doubtsOf(judged);
  const dates = data.facts.sources.flatMap(({ date }) => date ?? []).toSorted();
  return judge(
    {
      findings: judged.findings,
      missingUpdates: judged.updates.filter(({ isSecurity }) => isSecurity).map(({ name }) => name),
      doubts: unjudged + unread,
      dataDate: taken ?? dates.at(-1),
      note: `${note}${unusedNote(unused)}`,
    },
    terms,
    evidence,
  );
}

function unusedNote(unused: readonly UnusedVex[]): string {
  const [first] = unused;
  return first === undefined
    ? ''
    : `; ${plural(unused.length, 'VEX statement')} changed nothing: ${printable(first.why)}`;
}

interface UsedBaseline {
  readonly before?: Baseline;
  /** For the message: which it is, or why there is none. */
  readonly note: string;
}

/**
 * What was there before, where the policy asks for it and takes this one. Whatever is not taken hides
 * nothing. A file is the word of whoever calls; a policy has to say that it takes that.
 *
 * @param scan Absent where there is no data, and signers have scanned.
 */
function baselineOf(
  { baseline: wanted }: VulnerabilitiesParams,
  evidence: Evidence,
  scan?: (sbom: SbomFacts) => VulnScan,
): UsedBaseline {
  const { baseline } = evidence;
  if (wanted === undefined) {
    return { note: baseline === undefined ? '' : '; the policy asks for no baseline' };
  }
  if (baseline === undefined) {
    return { note: '; what was there before is not known' };
  }
  const name = printable(baseline.name);
  if (wanted === 'attested' && !baseline.isAttested) {
    return { note: `; the baseline ${name} is a file, and the policy takes attested ones` };
  }
  if (baseline.digests.some((digest) => digestsOf(evidence).includes(digest))) {
    return { note: `; the baseline ${name} is the image itself` };
  }
  const { known, sbom } = baseline;
  const before = scan !== undefined && sbom !== undefined ? toBaseline(scan(sbom)) : known;
  return before === undefined
    ? { note: `; the baseline ${name} has no attested scan` }
    : { before, note: ` beyond the baseline ${name}` };
}

function digestsOf(evidence: Evidence): readonly string[] {
  return [...manifestsOf(evidence), ...(evidence.config === undefined ? [] : [evidence.config])];
}

/**
 * Documents by signers that the policy names, attested for this very image; one that cannot be read says
 * nothing.
 */
function vexOf(
  { vex }: VulnerabilitiesParams,
  evidence: Evidence,
  context: RuleContext,
): readonly TrustedVex[] {
  if (vex === undefined) {
    return [];
  }
  const isType = (type: string): boolean =>
    /^https:\/\/openvex\.dev\/ns(?:\/v0\.\d+\.\d+)?$/.test(type) ||
    /^https:\/\/cyclonedx\.org\/(?:bom|vex)(?:\/v?\d\.\d)?$/.test(type);
  const { accepted } = matchCandidates(evidence, context, {
    isType,
    terms: vex,
    about: manifestsOf(evidence),
  });
  // An SBOM has the type of CycloneDX VEX and is none: only what states something is counted for the
  // threshold.
  const stated = accepted.flatMap((one) => {
    const document = readVex(one.verified.statement.predicate);
    return document === undefined || document.statements.length === 0 ? [] : [{ ...one, document }];
  });
  return stated.map(({ document, signer }) => ({
    source: signer,
    document: {
      ...document,
      statements: document.statements.filter((statement) =>
        isEnough(
          stated.filter((other) => other.document.statements.some((one) => isSameStatement(one, statement))),
          vex,
        ),
      ),
    },
  }));
}

/** As many as the threshold asks for have to say the same of the same vulnerability. */
function isSameStatement(a: VexStatement, b: VexStatement): boolean {
  return a.status === b.status && a.ids.some((id) => b.ids.includes(id));
}

function readVex(predicate: unknown): VexDocument | undefined {
  try {
    return parseVex(predicate, 'the attested VEX');
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

function judgeAttested(
  scan: SigningTerms,
  terms: VulnerabilitiesParams,
  evidence: Evidence,
  context: RuleContext,
): ReturnType<Rule['evaluate']> {
  const matched = scansInForce(scan, evidence, context);
  const used = baselineOf(terms, evidence);
  const said = matched.current.map((one) =>
    'scan' in one
      ? judge(toScanned(one.scan, used), terms, evidence)
      : { outcome: 'cannot-tell' as const, message: `the attested scan cannot be read: ${one.why}` },
  );
  const worst = worstOf(said) ?? {
    outcome: 'cannot-tell',
    message: 'no scan of this image is attested by a trusted signer',
    actual: describeRest(matched),
    hint: `attest one as ${scan.by.join(' or ')} with tcf sign --attest-vulns`,
  };
  return { rule: 'vulnerabilities', nearMisses: matched.nearMisses, ...worst };
}

function toScanned(
  { dataDate, doubts, findings, missingUpdates, scanner }: AttestedScan,
  { before, note }: UsedBaseline,
): Scanned {
  return {
    findings: before === undefined ? findings : newFindings(findings, before),
    missingUpdates: missingUpdates.filter((name) => before?.updates.has(name) !== true),
    doubts,
    dataDate,
    note: ` by ${printable(scanner)}${note}`,
  };
}

function judge(scanned: Scanned, terms: VulnerabilitiesParams, evidence: Evidence): Said {
  const old = tooOld(scanned, terms, evidence.now);
  const relevant = scanned.findings.filter((finding) => isRelevant(finding, terms, evidence.now));
  const affected = relevant.filter(({ verdict }) => verdict === 'affected');
  if (affected.length > 0) {
    return {
      outcome: 'fail',
      message: `${plural(affected.length, 'vulnerability', 'vulnerabilities')} that the policy does not accept${scanned.note}`,
      actual: listed(affected),
      hint: 'tcf vulns IMAGE says what to do about each',
    };
  }
  const { length: missing } = scanned.missingUpdates;
  if (missing > 0 && terms.missingUpdates !== 'allow') {
    return {
      outcome: 'fail',
      message: `${plural(missing, 'update')} for security missing${scanned.note}`,
      actual: `${scanned.missingUpdates
        .slice(0, maxListed)
        .map((name) => printable(name))
        .join(', ')}${missing > maxListed ? ` and ${missing - maxListed} more` : ''}`,
      hint: 'rebuild the image with the updates of its distribution',
    };
  }
  if (old !== undefined) {
    return old;
  }
  const unclear = relevant.filter(({ verdict }) => verdict === 'cannot-tell');
  if (terms.whenUnknown !== 'allow' && (unclear.length > 0 || scanned.doubts !== 0)) {
    return {
      outcome: 'cannot-tell',
      message: doubtText(unclear.length, scanned.doubts),
      ...(unclear.length === 0 ? {} : { actual: listed(unclear) }),
      hint: 'tcf vulns IMAGE says why; whenUnknown: allow accepts it',
    };
  }
  return { outcome: 'pass', message: `no vulnerability that the policy does not accept${scanned.note}` };
}

function doubtText(unclear: number, doubts: number | undefined): string {
  const parts = [
    ...(unclear === 0 ? [] : [plural(unclear, 'vulnerability', 'vulnerabilities')]),
    ...(doubts === undefined ? ['what the scanner could not judge'] : []),
    ...(doubts === undefined || doubts === 0
      ? []
      : [plural(doubts, 'component or record', 'components and records')]),
  ];
  return `nobody can tell about ${parts.join(' and ')}`;
}

/** Data that nobody can date, or of tomorrow, is not new. */
function tooOld({ dataDate }: Scanned, { data }: VulnerabilitiesParams, now: Date): Said | undefined {
  if (data === undefined) {
    return undefined;
  }
  const date = dataDate === undefined ? undefined : new Date(dataDate);
  const isDated = date !== undefined && !Number.isNaN(date.getTime()) && !isInFuture(date, now);
  if (isDated && Number(now) - Number(date) <= toMilliseconds(data.maxAge)) {
    return undefined;
  }
  return {
    outcome: 'cannot-tell',
    message: isDated
      ? `the data about vulnerabilities is older than ${data.maxAge}`
      : 'nothing says how old the data about vulnerabilities is',
    actual: printable(dataDate ?? 'no date'),
    hint: 'get newer data with tcf db pull',
  };
}

function isRelevant(finding: VulnFinding, terms: VulnerabilitiesParams, now: Date): boolean {
  const names = [finding.id, ...finding.aliases, ...finding.upstream];
  if (terms.deny?.some((id) => names.includes(id)) === true) {
    return true;
  }
  if (!counts(finding) || !isSevere(finding, terms)) {
    return false;
  }
  const { components, ecosystem, fixedIn, fixedSince } = finding;
  const { ecosystems, fixAge, fixable, origin } = terms;
  // A scan of another scanner says neither fix nor ecosystem, so any may be meant.
  const isSaid = ecosystem !== '';
  if (fixable === true && fixedIn === undefined && finding.verdict === 'affected' && isSaid) {
    return false;
  }
  // Of an origin that nobody knows any may be meant.
  if (
    origin !== undefined &&
    components.length > 0 &&
    components.every(({ origin: own }) => own !== undefined && own !== origin)
  ) {
    return false;
  }
  if (
    ecosystems !== undefined &&
    isSaid &&
    !ecosystems.some((name) => name === ecosystem || ecosystem.startsWith(`${name}:`))
  ) {
    return false;
  }
  return fixAge === undefined || fixedIn === undefined || !isYoung(fixedSince, fixAge, now);
}

function isSevere(
  { severity }: VulnFinding,
  { severity: bound = 'low', unknownSeverity }: VulnerabilitiesParams,
): boolean {
  if (severity.level === 'unknown') {
    return unknownSeverity !== 'allow';
  }
  const at = (bounds as readonly string[]).indexOf(severity.level);
  return at >= 0 && at <= bounds.indexOf(bound);
}

function isYoung(since: string | undefined, fixAge: string, now: Date): boolean {
  const time = since === undefined ? Number.NaN : Date.parse(since);
  return Number(now) - time < toMilliseconds(fixAge);
}

/** Names in a message. */
const maxListed = 10;

function listed(findings: readonly VulnFinding[]): string {
  const names = findings
    .slice(0, maxListed)
    .map(({ id, package: name, severity, version }) =>
      printable(`${id} (${severity.level}) in ${name}${version === undefined ? '' : ` ${version}`}`),
    );
  return `${names.join(', ')}${findings.length > names.length ? ` and ${findings.length - names.length} more` : ''}`;
}
