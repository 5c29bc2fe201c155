import { plural } from '../../base/text.ts';
import type { Decision, ExplainedCandidate, JudgedFinding, Verdict } from '../../policy/decide.ts';
import { toWords } from '../diff-words.ts';
import { wordOfPredicate } from '../predicate-word.ts';
import { describeException, signOf, wordOf } from '../text.ts';
import type { BaselineFacts, EvidenceFacts, PageFacts } from './facts.ts';
import { type Html, html } from './html.ts';
import { listOf, type PagePart, withSign } from './sections.ts';

interface TimelineEvent {
  readonly at: Date;
  readonly kind: 'claim' | 'end-no' | 'proven';
  readonly body: Html;
}

const maxEvents = 60;

/** Who signed what and when, with what was refused below it. */
export function timelineSection({ contents, evidence }: PageFacts): PagePart {
  const said = new Date(contents.about.get('tcf:image:created')?.[0] ?? '');
  const created: readonly TimelineEvent[] = Number.isNaN(said.getTime())
    ? []
    : [
        {
          at: said,
          kind: 'claim',
          body: html`<b>The image was made</b><br><span class="note">according to its configuration, which is not signed on its own</span>`,
        },
      ];
  const proven = evidence.kind === 'verdict' ? provenEvents(evidence.verdict) : [];
  const events = [...created, ...proven].sort((a, b) => a.at.getTime() - b.at.getTime());
  return {
    id: 'evidence',
    name: 'Evidence',
    column: 'right',
    body: html`<h2>Who signed what, and when</h2>${leadOf(evidence)}
<ol class="time">${events
      .slice(0, maxEvents)
      .map(
        ({ at, body, kind }) =>
          html`<li class="${kind}"><time datetime="${at.toISOString()}">${at.toISOString().slice(0, 19).replace('T', ' ')} UTC</time>${body}</li>`,
      )}</ol>${evidence.kind === 'verdict' ? besideTimeline(evidence.verdict) : undefined}`,
  };
}

function leadOf(evidence: EvidenceFacts): Html {
  if (evidence.kind === 'none') {
    return html`<p class="lead">${withSign('?')}Nothing was proven: ${evidence.why}.${
      evidence.hint === undefined ? undefined : html` <br>${evidence.hint}.`
    }</p>`;
  }
  const { candidates } = evidence.verdict;
  const verified = candidates.filter((one) => one.verified).length;
  return candidates.length === 0
    ? html`<p class="lead">${withSign('✗')}Nothing is attached to the image.</p>`
    : html`<p class="lead">${plural(candidates.length, 'statement')} looked at, ${verified} proven. Each time is one that a log or an authority gave, never the signer’s.</p>`;
}

function provenEvents({ candidates, decidedAt, ...verdict }: Verdict): readonly TimelineEvent[] {
  const events = candidates.flatMap(({ signed: proof }): readonly TimelineEvent[] => {
    const [at] = proof?.times ?? [];
    return proof === undefined || at === undefined ? [] : [{ at, kind: 'proven', body: proofOf(proof) }];
  });
  const isAllowed = verdict.verdict === 'allow';
  return [
    ...events,
    {
      at: decidedAt,
      kind: isAllowed ? 'proven' : 'end-no',
      body: html`<b>The policies here were asked: ${wordOf(verdict)}</b>`,
    },
  ];
}

function proofOf({ logs, predicateType, signer }: NonNullable<ExplainedCandidate['signed']>): Html {
  return html`<b>${wordOfPredicate(predicateType)}</b> by <span title="${signer}">${shortDigest(signer)}</span><br><span class="note">${
    logs === 0 ? 'in no transparency log' : `in ${plural(logs, 'transparency log')}`
  } · <span class="mono">${predicateType}</span></span>`;
}

/** A key is told by the beginning of its digest; the whole stands in the title. */
function shortDigest(text: string): string {
  return text.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…');
}

/** What is proven without a time, and what did not verify. */
function besideTimeline({ candidates }: Verdict): Html {
  const timeless = candidates.flatMap(({ signed: proof }) =>
    proof === undefined || proof.times.length > 0 ? [] : [proof],
  );
  const refused = candidates.filter(({ verified }) => !verified);
  return html`${
    timeless.length === 0
      ? undefined
      : html`<h3>Proven, at an unproven time</h3>${listOf(timeless, (proof) => html`${withSign('✓')}${proofOf(proof)}`)}`
  }${
    refused.length === 0
      ? undefined
      : html`<h3>Did not verify</h3>${listOf(refused, ({ message, source }) => html`${withSign('✗')}${message}<br><span class="note mono">${source}</span>`)}`
  }`;
}

/** What each policy said, rule by rule. */
export function policySection({ evidence }: PageFacts): PagePart {
  const body =
    evidence.kind === 'none'
      ? html`<p class="lead">${withSign('?')}No policy was asked: ${evidence.why}.</p>`
      : html`<p class="lead">Every policy that applies has to allow an image before it starts.</p>${evidence.verdict.decisions.map(decisionOf)}`;
  return {
    id: 'policies',
    name: 'Policies',
    column: 'right',
    body: html`<h2>What the policies say, and why</h2>${body}`,
  };
}

/** Of an exit code: yes, no, cannot tell. */
export const marks = {
  0: { mark: 'yes', sign: '✓' },
  1: { mark: 'no', sign: '✗' },
  2: { mark: 'maybe', sign: '?' },
} as const;

function decisionOf({ exit, findings, policy, scope }: Decision): Html {
  const { mark } = marks[exit];
  return html`<h3>${policy.name} <span class="pill ${mark}">${wordOf({ exit })}</span></h3><p class="note">${
    scope === undefined ? 'no scope covers the image' : `scope ${scope}`
  }</p>${findings.map(findingOf)}`;
}

function findingOf(finding: JudgedFinding): Html {
  const { actual, expected, hint, message, nearMisses = [], outcome, rule } = finding;
  const more = (label: string, text: string | undefined): Html | undefined =>
    text === undefined || text === '' || outcome === 'pass' ? undefined : html`<p>${label}: ${text}</p>`;
  return html`<div class="finding">${withSign(signOf(finding))}<b>${rule}</b> ${message}${more('Expected', expected)}${more('Actual', actual)}${nearMisses.slice(0, 10).map((miss) => more('Close', miss.message) ?? html``)}${more('Next step', hint)}${more('Exception', describeException(finding))}</div>`;
}

const maxChanges = 24;

/** What changed since another image or SBOM. */
export function baselineSection(baseline: BaselineFacts | undefined): PagePart | undefined {
  if (baseline === undefined) {
    return undefined;
  }
  const { added, cautions, changed, llvm, removed, unchanged } = toWords(baseline.diff);
  const group = (title: string, sign: string, items: readonly string[]): Html | undefined =>
    items.length === 0
      ? undefined
      : html`<h3>${title} <span class="pill">${items.length}</span></h3>${listOf(items, (item) => html`<span class="sign" aria-hidden="true">${sign}</span>${item}`, maxChanges)}`;
  const isSame = added.length + changed.length + llvm.length + removed.length === 0;
  return {
    id: 'changes',
    name: 'Changes',
    body: html`<h2>What changed since ${baseline.name}</h2><p class="lead">${unchanged} components are unchanged${isSame ? ', and nothing else is there' : ''}.</p>${cautions.map(
      (caution) => html`<p class="note">${withSign('!')}${caution}</p>`,
    )}<div class="diff">${group('LLVM', '~', llvm)}${group('Added', '+', added)}${group('Removed', '−', removed)}${group('Changed', '~', changed)}</div>`,
  };
}
