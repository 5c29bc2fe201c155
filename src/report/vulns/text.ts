import { plural, printable } from '../../base/text.ts';
import { type Advice, adviseOn } from '../../vulns/advice.ts';
import {
  affectedOf,
  counts,
  doubtsOf,
  levelsBySeverity,
  type Unjudged,
  type VulnFinding,
  type VulnScan,
} from '../../vulns/scan.ts';
import { dataAgeInDays } from '../database.ts';
import { cut } from '../inside/overview-text.ts';
import type { FoundVulnerabilities } from './found.ts';

const line = (text: string): string => printable(text, 2000);

/**
 * For people: each step that closes something with what it closes, then what nobody can tell, then the sum. Lines
 * are cut to `columns`.
 */
export function toVulnsText(
  found: FoundVulnerabilities,
  now: Date,
  _version: string,
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const { scan, unused } = found;
  const steps = adviseOn(scan);
  const sections = [
    ...section(
      'What to do now',
      steps.filter(({ kind }) => kind !== 'none').flatMap((step, at) => stepLines(step, `${at + 1}. `)),
    ),
    ...section(
      'Nobody can fix yet',
      steps.filter(({ kind }) => kind === 'none').flatMap((step) => step.findings.map(findingLine)),
    ),
    ...section(
      'Nobody can tell',
      doubtLines(scan).flatMap((text) => wrapped(text, columns)),
    ),
    ...section(
      'Sources differ',
      differing(scan).flatMap((text) => wrapped(text, columns)),
    ),
    ...section('Not counted', disputedLines(scan)),
    ...section(
      'VEX that changes nothing',
      unused
        .map(
          ({ author, source, statement, why }) =>
            `  ${line(author)} (${line(source)}) about ${line(statement.ids[0] ?? '')}: ${line(why)}`,
        )
        .flatMap((text) => wrapped(text, columns)),
    ),
  ];
  return [...sections.map((text) => cut(text, columns)), ...summary(found, now), ''].join('\n');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines, ''];
}

/** A reason is read to its end. Broken between words, and indented below its first line. */
function wrapped(text: string, columns: number): readonly string[] {
  if (text.length <= columns) {
    return [text];
  }
  const indent = /^ +/.exec(text)?.[0].length === 2 ? '    ' : '      ';
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/(?<=\S) /)) {
    if (current !== '' && current.length + 1 + word.length > columns) {
      lines.push(current);
      current = `${indent}${word}`;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}

function stepLines({ findings, text, updates }: Advice, number: string): readonly string[] {
  const closed = findings.length === 0 ? '' : `, closes ${byLevel(findings)}`;
  const updated = updates.length === 0 ? '' : `: ${plural(updates.length, 'package')}`;
  return [
    line(`${number}${text}${updated}${closed}`),
    ...updates.map((update) => `     ${line(update)}`),
    ...findings.map(findingLine),
  ];
}

/** `2 high, 1 low`. */
function byLevel(findings: readonly VulnFinding[]): string {
  return levelsBySeverity
    .map((level) => ({ level, count: findings.filter(({ severity }) => severity.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ count, level }) => `${count} ${level === 'unknown' ? 'not rated' : level}`)
    .join(', ');
}

/** What matters most stands first, since a narrow terminal cuts the end. */
function findingLine(finding: VulnFinding): string {
  const { aliases, components, fixedIn, id, package: name, severity, summary, urgency, version } = finding;
  const score = severity.score === undefined ? '' : severity.score.toFixed(1);
  const rated = `${severity.level.padEnd(8)} ${score.padStart(4)}`;
  const fix = fixedIn === undefined ? '' : `, fixed in ${fixedIn}`;
  const word = urgency === undefined ? '' : ` (the distribution says ${urgency})`;
  const also = aliases.length === 0 ? '' : ` = ${aliases.slice(0, 3).join(', ')}`;
  const first = components[0];
  const where = first?.location === undefined ? '' : `, in ${first.location}`;
  const more = components.length > 1 ? ` and ${components.length - 1} more` : '';
  const title = summary === undefined ? '' : `: ${summary}`;
  return `     ${line(`${rated}  ${id}  ${name} ${version ?? ''}${fix}${word}${title}${also}${where}${more}`)}`;
}

/** What sources say where they do not say the same. */
function differing(scan: VulnScan): readonly string[] {
  return scan.findings
    .filter(({ differs, verdict }) => differs && verdict !== 'not-affected' && verdict !== 'fixed')
    .map(
      ({ answers, id, package: name }) =>
        `  ${line(`${id} in ${name}`)}: ${answers.map((one) => line(`${one.id} says ${one.verdict} (${one.why})`)).join('; ')}`,
    );
}

function doubtLines(scan: VulnScan): readonly string[] {
  const findings = scan.findings.filter((one) => one.verdict === 'cannot-tell' && counts(one));
  const { unread } = doubtsOf(scan);
  return [
    ...findings.map(({ id, package: name, version, why }) =>
      line(`  cannot tell about ${id} in ${name} ${version ?? ''}: ${why}`),
    ),
    ...unjudgedLines(scan.unjudged),
    ...(unread === 0
      ? []
      : [
          `  cannot tell what ${plural(unread, 'record')} of the database ${unread === 1 ? 'is' : 'are'} about: they could not be read`,
        ]),
  ];
}

/** The reason, and below it whom it meets: an image of a distribution without data has hundreds of packages. */
function unjudgedLines(unjudged: readonly Unjudged[]): readonly string[] {
  const groups = Map.groupBy(unjudged, ({ why }) => why);
  return [...groups].flatMap(([why, all]) => {
    const names = all
      .slice(0, 3)
      .map(({ name, version }) => `${name}${version === undefined ? '' : ` ${version}`}`);
    const more = all.length > names.length ? ` and ${all.length - names.length} more` : '';
    return [
      line(`  cannot tell about ${plural(all.length, 'component')}: ${why}`),
      line(`      ${names.join(', ')}${more}`),
    ];
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
            `  ${plural(ids.length, 'CVE')} about LLVM that LLVM disputes: ${ids.slice(0, 4).join(', ')}${ids.length > 4 ? ', ...' : ''}`,
          ),
        ]),
    ...informational.map(({ id, informational: word, package: name }) =>
      line(`  ${name} is ${word} (${id})`),
    ),
  ];
}

function summary({ database, scan, source }: FoundVulnerabilities, now: Date): readonly string[] {
  const affected = affectedOf(scan);
  const { findings, unjudged, unread } = doubtsOf(scan);
  const missing = scan.updates.filter(({ isSecurity }) => isSecurity).length;
  const age = dataAgeInDays(database.facts, database.taken, now);
  const known = [
    affected.length === 0
      ? 'no known vulnerability'
      : `${plural(affected.length, 'vulnerability', 'vulnerabilities')} (${byLevel(affected)})`,
    ...(missing === 0 ? [] : [`${plural(missing, 'update')} for security missing`]),
  ];
  const owned = scan.answeredByOwner;
  const doubts = [
    ...(findings === 0 ? [] : [plural(findings, 'vulnerability', 'vulnerabilities')]),
    ...(unjudged === 0 ? [] : [plural(unjudged, 'component')]),
    ...(unread === 0 ? [] : [plural(unread, 'record')]),
  ];
  return [
    `${line(source)}: ${known.join(', ')}`,
    `${plural(scan.judged, 'component')} judged${owned === 0 ? '' : `, ${owned} by the package they lie in`}; ${doubts.length === 0 ? 'nothing that nobody can tell' : `nobody can tell about ${doubts.join(', ')}`}`,
    `data ${database.file.digest}, ${age === undefined ? 'of unknown age' : `${plural(age, 'day')} old`}`,
  ];
}
