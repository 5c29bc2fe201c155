import { byCodeUnit } from '../../base/text.ts';
import type { Component, ComponentHash, Identity, Occurrence, Property } from '../../bom/model.ts';
import { type Purl, toPurl } from '../../bom/purl.ts';
import { hashesOfFile } from '../file-hashes.ts';
import { areCompatible, type Claim, type Declaration, methods, type Rung } from './claims.ts';
import { lookUp } from './pins.ts';
import { commitOf, repositoryNamed, type Thing, versionOf } from './things.ts';

/** A prebuilt tree has hundreds of tools that all name their LLVM; this many tell enough. */
const maxOccurrences = 50;
const upstream = 'llvm/llvm-project';

/**
 * The component of one LLVM. The binary's word is concluded; the pin and the table are shown beside it.
 *
 * Properties, with `HEX` for 7 to 40 lower-case hexadecimal digits and `METHODS` for words of `methods` joined by commas:
 *
 *     tcf:llvm:role        amd-codegen | cache | core | distro | nvidia-codegen | other | rocm       once
 *     tcf:llvm:pin         match | mismatch | declared-only | observed-only | unknown         once
 *     tcf:llvm:declared    HEX by METHODS | unknown by METHODS                                for each value
 *     tcf:llvm:observed    HEX by METHODS | version VERSION by METHODS                        at most once
 *     tcf:llvm:conflict    a sentence                                                         with mismatch only
 *     tcf:llvm:reason      a sentence                                                         with unknown only
 *     tcf:llvm:repository  OWNER/NAME by observation | OWNER/NAME by lookup                   at most once
 *     tcf:llvm:prebuilt    llvm-f6ded0be-ubuntu-x64-1                                         for each value
 *     tcf:llvm:override    NAME=VALUE of the image's environment                              for each, role core only
 */
export function componentOf(thing: Thing, overrides: readonly string[]): Component {
  const { claims, declarations, role, site } = thing;
  const said: readonly (Claim | Declaration)[] = claims.length > 0 ? claims : declarations;
  const observed = commitOf(said);
  const known = observed === undefined ? undefined : lookUp(observed);
  // A full declared pin completes an observed prefix of it, as the table does; both are lookups and said to be.
  const declared = thing.pin === 'match' ? commitOf(declarations) : undefined;
  const commit = [observed, declared, known?.commit].find((text) => text?.length === 40) ?? observed;
  const own = versionOf(said);
  // The table knows that LLD's 22.0.0 is of 22.0.0git, and what a bare commit is.
  const told = [known?.version, thing.pin === 'match' ? versionOf(declarations) : undefined];
  const plain = versionOf(
    [own, ...told.filter((text) => text !== undefined && areCompatible(own ?? text, text))].map((version) =>
      version === undefined ? {} : { version },
    ),
  );
  const version = commit === undefined ? plain : `${plain ?? 'git'}+${commit.slice(0, 8)}`;
  const seenRepository = repositoryNamed(claims);
  const repository = seenRepository ?? repositoryNamed(declarations) ?? known?.repository;
  const purl = purlOf(commit, repository, version);
  const bomRef = `${purl ?? 'llvm'}#${role}:${site}`;
  const properties: readonly Property[] = [
    ...thing.declarations
      .filter(({ commit }) => commit === undefined)
      .map(({ rung }) => declaredBy('unknown', [rung])),
    ...byCommit(declarations).map(([value, rungs]) => declaredBy(value, rungs)),
    ...observedBy(claims),
    property('pin', thing.pin),
    property('role', role),
    ...(thing.reason === undefined
      ? []
      : [property(thing.pin === 'mismatch' ? 'conflict' : 'reason', thing.reason)]),
    ...(repository === undefined || commit === undefined
      ? []
      : [
          property(
            'repository',
            `${repository} by ${seenRepository === undefined ? 'lookup' : 'observation'}`,
          ),
        ]),
    ...[...new Set(claims.flatMap(({ prebuilt }) => prebuilt ?? []))].map((name) =>
      property('prebuilt', name),
    ),
    ...(role === 'core' ? overrides.map((override) => property('override', override)) : []),
  ];
  return {
    bomRef,
    type: 'library',
    name: 'llvm',
    ...(version === undefined ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    ...(plain === undefined ? {} : { cpe: cpeOf(plain) }),
    supplier: { name: 'LLVM Project', url: 'https://llvm.org/' },
    licenses: [{ acknowledgement: 'concluded', expression: 'Apache-2.0 WITH LLVM-exception' }],
    ...hashesOf(claims),
    ...(repository === undefined || commit?.length !== 40
      ? {}
      : { externalReferences: [{ type: 'vcs' as const, url: `https://github.com/${repository}` }] }),
    properties: [
      ...new Map(properties.map((entry) => [`${entry.name}\0${entry.value}`, entry])).values(),
    ].sort((a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.value, b.value)),
    evidence: {
      identity: identityOf(said, [...claims, ...declarations], version),
      occurrences: occurrencesOf(thing),
    },
    ...(repository === undefined || repository === upstream || purl === undefined
      ? {}
      : { pedigree: { ancestors: [ancestorOf(bomRef)] } }),
  };
}

function declaredBy(value: string, rungs: readonly Rung[]): Property {
  return property('declared', `${value} by ${words(rungs)}`);
}

function property(name: string, value: string): Property {
  return { name: `tcf:llvm:${name}`, value };
}

function words(rungs: readonly Rung[]): string {
  return [...new Set(rungs.map((rung) => methods[rung].word))].sort(byCodeUnit).join(',');
}

/** What was seen, in one value: the claims of a thing agree, so the longest commit stands for all. */
function observedBy(claims: readonly Claim[]): readonly Property[] {
  const [commit, rungs = []] = byCommit(claims)[0] ?? [];
  if (commit !== undefined) return [property('observed', `${commit} by ${words(rungs)}`)];
  const version = versionOf(claims);
  if (version === undefined) return [];
  return [property('observed', `version ${version} by ${words(claims.map(({ rung }) => rung))}`)];
}

/** Who named which commit; whoever named its beginning only is counted with those who named it whole. */
function byCommit(said: readonly (Claim | Declaration)[]): readonly (readonly [string, readonly Rung[]])[] {
  const found = new Map<string, Rung[]>();
  for (const { commit, rung } of said) {
    if (commit === undefined) continue;
    const whole = commitOf(said.filter((other) => other.commit?.startsWith(commit))) ?? commit;
    found.set(whole, [...(found.get(whole) ?? []), rung]);
  }
  return [...found];
}

/** The owner is the one that was seen: GitHub answers for a fork's commit under any repository of the network. */
function purlOf(
  commit: string | undefined,
  repository: string | undefined,
  version: string | undefined,
): Purl | undefined {
  if (commit?.length === 40 && repository !== undefined) {
    const [namespace = '', name = ''] = repository.split('/');
    return toPurl({ type: 'github', namespace, name, version: commit });
  }
  return version === undefined ? undefined : toPurl({ type: 'generic', name: 'llvm', version });
}

function ancestorOf(bomRef: string): Component {
  return {
    bomRef: `${bomRef}~upstream`,
    type: 'library',
    name: 'llvm',
    purl: toPurl({ type: 'github', namespace: 'llvm', name: 'llvm-project' }),
  };
}

/** A `git` or `rc` version is the update of the number that stands before it. */
function cpeOf(version: string): string {
  const [, number = '', update = ''] = /^([\d.]+\d|\d)(git|rc\d+)?/.exec(version) ?? [];
  return `cpe:2.3:a:llvm:llvm:${number === '' ? '*' : number}:${update === '' ? '*' : update}:*:*:*:*:*:*`;
}

function hashesOf(claims: readonly Claim[]): { readonly hashes?: readonly ComponentHash[] } {
  // Of several files in one package, the one that is the LLVM: libtriton.so, libLLVM.so.
  const main = claims.find(
    ({ path, sha256 }) => sha256 !== undefined && /(?:^|\/)lib(?:triton|LLVM)[^/]*$/.test(path),
  );
  if (main?.sha256 === undefined) return {};
  const { sha256, sha512 } = main;
  if (sha512 !== undefined) return { hashes: hashesOfFile({ sha256, sha512 }) };
  return { hashes: [{ algorithm: 'SHA-256', value: sha256, subject: 'the file it is linked into' }] };
}

function identityOf(
  concluded: readonly (Claim | Declaration)[],
  all: readonly (Claim | Declaration)[],
  version: string | undefined,
): readonly Identity[] {
  const unique = new Map(
    all.map((entry) => {
      const { technique, confidence, word } = methods[entry.rung];
      const { commit, repository } = entry;
      const value = [
        word,
        entry.version,
        repository,
        commit ?? (entry.version === undefined ? 'unknown' : undefined),
      ]
        .filter((part) => part !== undefined)
        .join(' ');
      return [value, { technique, confidence, value: `${value} in ${entry.path}` }];
    }),
  );
  return [
    {
      field: 'version',
      confidence: Math.max(0, ...concluded.map(({ rung }) => methods[rung].confidence)),
      ...(version === undefined ? {} : { concludedValue: version }),
      methods: [...unique.values()].sort((a, b) => byCodeUnit(a.value, b.value)),
    },
  ];
}

function occurrencesOf({ claims, declarations }: Thing): readonly Occurrence[] {
  const places = new Map<string, Occurrence>();
  for (const entry of [...claims, ...declarations]) {
    if (places.has(entry.path)) continue;
    const offset = 'offset' in entry && entry.rung !== 'N' ? entry.offset : undefined;
    places.set(entry.path, {
      location: entry.path,
      layer: entry.layer,
      ...(offset === undefined ? {} : { offset }),
    });
  }
  return [...places.values()].sort((a, b) => byCodeUnit(a.location, b.location)).slice(0, maxOccurrences);
}
