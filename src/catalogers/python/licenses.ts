import { withLicenseText } from '../../bom/license-texts.ts';
import { toLicenses, toSpdx } from '../../bom/licenses.ts';
import type { License } from '../../bom/model.ts';
import { type CoreMetadata, valuesOf } from './metadata.ts';

/** scipy lists 30 classifiers. */
const maxClassifiers = 100;

/**
 * Classifiers that name a family of licences and no version: the ids that may be meant.
 * https://pypi.org/classifiers/
 */
const families: ReadonlyMap<string, RegExp> = new Map([
  ['Academic Free License (AFL)', /^AFL-/],
  ['Apache Software License', /^Apache-/],
  ['Artistic License', /^Artistic-/],
  ['BSD License', /^(?:0BSD$|BSD-)/],
  ['GNU Affero General Public License v3', /^AGPL-3\.0-/],
  ['GNU Free Documentation License (FDL)', /^GFDL-/],
  ['GNU General Public License (GPL)', /^GPL-/],
  ['GNU Library or Lesser General Public License (LGPL)', /^LGPL-/],
  ['MIT License', /^MIT(?:-0)?$/],
  ['Python License (CNRI Python License)', /^CNRI-Python/],
  ['Python Software Foundation License', /^(?:PSF-2\.0|Python-2\.0)/],
  ['Zope Public License', /^ZPL-/],
]);

/**
 * What a distribution says of its licence, and what follows from it. Everything is declared as it stands. A
 * licence is concluded where one statement stands for itself: the expression or the field License, with no other
 * of them and no classifier that says more, or a single classifier. Several classifiers are a choice or a sum, and nothing
 * says which (PEP 639, "Dual licensing"); statements that differ prove nothing.
 */
export function pythonLicenses(metadata: CoreMetadata, path: string): ReturnType<typeof withLicenseText> {
  const statements = statementsOf(metadata);
  const [statement] = statements;
  const stated = statement?.licenses ?? [];
  const classifiers = classifiersOf(metadata);
  const more = concludedIn(stated) === undefined ? classifiers : classifiersBeyond(stated, classifiers);
  if (more.length > 0 || statements.length > 1) {
    const declared = [
      ...statements.flatMap(({ licenses }) => licenses.filter(isDeclared)),
      ...more.flatMap(declaredClassifier),
    ];
    const only =
      statement === undefined && more.length === 1 ? toLicenses(more[0] ?? '', 'classifier') : declared;
    return { licenses: only, properties: [] };
  }
  // A License field of several lines is no name of a licence but its text.
  if (statement?.kind !== 'python' || !statement.text.includes('\n')) {
    return { licenses: stated, properties: [] };
  }
  return withLicenseText(stated, statement.text, `the field License of ${path}, lines trimmed`);
}

interface Statement {
  readonly kind: 'python' | 'spdx';
  readonly text: string;
  readonly licenses: readonly License[];
}

/** Neither field may stand twice, or beside the other (PEP 639); installed packages have what they have. */
const maxStatements = 20;

/** What the fields License-Expression and License say, each meaning once. */
function statementsOf(metadata: CoreMetadata): readonly Statement[] {
  const values = (name: string, kind: Statement['kind']): readonly Statement[] =>
    valuesOf(metadata, name)
      .slice(0, maxStatements)
      .map((text) => ({ kind, text, licenses: toLicenses(text, kind) }));
  const all = [...values('license-expression', 'spdx'), ...values('license', 'python')];
  const meaning = ({ licenses, text }: Statement): string => concludedIn(licenses) ?? text.trim();
  return [...new Map(all.toReversed().map((one) => [meaning(one), one])).values()].toReversed();
}

function classifiersOf(metadata: CoreMetadata): readonly string[] {
  const found = (metadata.get('classifier') ?? [])
    .filter((entry) => entry.startsWith('License :: ') && entry !== 'License :: OSI Approved')
    .slice(0, maxClassifiers);
  return [...new Set(found)];
}

/** The classifiers that say something else than the statement does. */
function classifiersBeyond(stated: readonly License[], classifiers: readonly string[]): readonly string[] {
  const ids = idsIn(concludedIn(stated) ?? '');
  return classifiers.filter((classifier) => {
    const name = classifier.split(' :: ').at(-1) ?? '';
    const meant = idsIn(toSpdx(classifier, 'classifier') ?? '');
    const family = families.get(name);
    return (
      !(meant.length > 0 && meant.every((id) => ids.includes(id))) &&
      !(family !== undefined && ids.some((id) => family.test(id)))
    );
  });
}

function declaredClassifier(classifier: string): readonly License[] {
  return toLicenses(classifier, 'classifier').filter(isDeclared);
}

function isDeclared({ acknowledgement }: License): boolean {
  return acknowledgement === 'declared';
}

function concludedIn(licenses: readonly License[]): string | undefined {
  const found = licenses.find(({ acknowledgement }) => acknowledgement === 'concluded');
  return found !== undefined && 'expression' in found ? found.expression : undefined;
}

/** The ids of an expression; an exception belongs to its licence and is no licence of its own. */
function idsIn(expression: string): readonly string[] {
  return expression
    .replaceAll(/ WITH [^\s()]+/g, '')
    .split(/[\s()]+/)
    .filter((word) => word !== '' && word !== 'AND' && word !== 'OR');
}
