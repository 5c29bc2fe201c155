import { plural, printable } from '../../base/text.ts';
import { type Advice, adviseOn } from '../../vulns/advice.ts';
import {
  affectedOf,
  counts,
  doubtsOf,
  type Unjudged,
  type VulnFinding,
  type VulnScan,
} from '../../vulns/scan.ts';
import { dataAgeInDays } from '../database.ts';
import type { FoundVulnerabilities } from './found.ts';

const line = (text: string): string => printable(text, 2000);

/** For people: what to do now, what is behind it, and what nobody can tell. */
export function toVulnsText(found: FoundVulnerabilities, now: Date): string {
  const { scan, unused } = found;
  const advice = adviseOn(scan);
  return [
    ...advice.flatMap(adviceLines),
    ...differing(scan),
    ...doubtLines(scan),
    ...disputedLines(scan),
    ...unused.map(
      ({ author, source, statement, why }) =>
        `VEX of ${line(author)} (${line(source)}) about ${line(statement.ids[0] ?? '')} changes nothing: ${line(why)}`,
    ),
    summary(found, now),
    '',
  ].join('\n');
}

function adviceLines({ findings, text, updates }: Advice): readonly string[] {
  return [line(text), ...updates.map((why) => `  ${line(why)}`), ...findings.map(findingLine)];
}

function findingLine(finding: VulnFinding): string {
  const { aliases, components, id, severity, summary: title, urgency } = finding;
  const score = severity.score === undefined ? '' : ` ${severity.score.toFixed(1)}`;
  const word = urgency === undefined ? '' : ` (the distribution says ${urgency})`;
  const also = aliases.length === 0 ? '' : ` = ${aliases.slice(0, 3).join(', ')}`;
  const first = components[0];
  const where = first?.location === undefined ? '' : ` in ${first.location}`;
  const more = components.length > 1 ? ` and ${components.length - 1} more` : '';
  return `  ${line(`${severity.level}${score}${word} ${id}${also}${title === undefined ? '' : `: ${title}`}${where}${more}`)}`;
}

/** What sources say where they do not say the same. */
function differing(scan: VulnScan): readonly string[] {
  return scan.findings
    .filter(({ differs, verdict }) => differs && verdict !== 'not-affected' && verdict !== 'fixed')
    .map(
      ({ answers, id, package: name }) =>
        `sources differ about ${line(`${id} in ${name}`)}: ${answers.map((one) => line(`${one.id} says ${one.verdict} (${one.why})`)).join('; ')}`,
    );
}

function doubtLines(scan: VulnScan): readonly string[] {
  const findings = scan.findings.filter((one) => one.verdict === 'cannot-tell' && counts(one));
  const { unread } = doubtsOf(scan);
  return [
    ...findings.map(({ id, package: name, version, why }) =>
      line(`cannot tell about ${id} in ${name} ${version ?? ''}: ${why}`),
    ),
    ...unjudgedLines(scan.unjudged),
    ...(unread === 0
      ? []
      : [
          `cannot tell what ${plural(unread, 'record')} of the database ${unread === 1 ? 'is' : 'are'} about: nobody could read them`,
        ]),
  ];
}

/** One line for each reason: an image of a distribution without data has hundreds of packages. */
function unjudgedLines(unjudged: readonly Unjudged[]): readonly string[] {
  const groups = Map.groupBy(unjudged, ({ why }) => why);
  return [...groups].map(([why, all]) => {
    const names = all
      .slice(0, 3)
      .map(({ name, version }) => `${name}${version === undefined ? '' : ` ${version}`}`);
    const more = all.length > names.length ? ` and ${all.length - names.length} more` : '';
    return line(`cannot tell about ${names.join(', ')}${more}: ${why}`);
  });
}

function disputedLines({ findings }: VulnScan): readonly string[] {
  const disputed = findings.filter(
    ({ disputed: is, verdict }) => is === true && (verdict === 'affected' || verdict === 'cannot-tell'),
  );
  const informational = findings.filter(
    ({ informational: word, verdict }) => word !== undefined && verdict === 'affected',
  );
  const ids = disputed.map(({ id }) => id);
  return [
    ...(ids.length === 0
      ? []
      : [
          line(
            `${plural(ids.length, 'CVE')} about LLVM that LLVM disputes, not counted: ${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', ...' : ''}`,
          ),
        ]),
    ...informational.map(({ id, informational: word, package: name }) =>
      line(`note: ${name} is ${word} (${id}), not counted`),
    ),
  ];
}

function summary({ database, scan, source }: FoundVulnerabilities, now: Date): string {
  const affected = affectedOf(scan);
  const levels = Object.entries(Object.groupBy(affected, ({ severity }) => severity.level))
    .map(([level, all = []]) => `${all.length} ${level}`)
    .join(', ');
  const { findings, unjudged, unread } = doubtsOf(scan);
  const missing = scan.updates.filter(({ isSecurity }) => isSecurity).length;
  const age = dataAgeInDays(database.facts, database.taken, now);
  const doubts = findings + unjudged + unread;
  const parts = [
    affected.length === 0
      ? 'no known vulnerability'
      : `${plural(affected.length, 'vulnerability', 'vulnerabilities')} (${levels})`,
    ...(missing === 0 ? [] : [`${plural(missing, 'update')} for security missing`]),
    doubts === 0 ? 'nothing that nobody can tell' : `${plural(doubts, 'thing')} that nobody can tell`,
    `${plural(scan.judged, 'component')} judged`,
    ...(scan.answeredByOwner === 0 ? [] : [`${scan.answeredByOwner} by the package they lie in`]),
  ];
  return `${line(source)}: ${parts.join(', ')}\ndata ${database.file.digest}, ${age === undefined ? 'of unknown age' : `${plural(age, 'day')} old`}`;
}
