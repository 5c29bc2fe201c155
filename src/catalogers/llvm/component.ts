import { compact } from '../../base/compact.ts';
import type { Component, ComponentHash } from '../../bom/model.ts';
import { type Purl, toPurl } from '../../bom/purl.ts';
import { hashesOfFile } from '../file-hashes.ts';
import { areCompatible, type Claim, type Declaration } from './claims.ts';
import { evidenceOf } from './evidence.ts';
import type { Pin, PinTable } from './pins.ts';
import { type LlvmSource, propertiesOf } from './properties.ts';
import { commitOf, repositoryNamed, type Thing, versionOf } from './things.ts';
import { isUpstream, makerOf, upstream } from './upstream.ts';

/** The component of one LLVM. The binary's word is concluded; the pin and the table are shown beside it. */
export function llvmComponent(thing: Thing, overrides: readonly string[], pins: PinTable): Component {
  const { claims, declarations, role, site } = thing;
  const observed = commitOf(claims);
  const known = observed === undefined ? undefined : pins.lookUp(observed);
  // A full declared pin completes an observed prefix of it, as the table does; both are lookups and said to
  // be.
  const declared = thing.pin === 'match' ? commitOf(declarations) : undefined;
  const commit = [observed, declared, known?.commit].find((text) => text?.length === 40) ?? observed;
  const plain = plainVersion(thing, known);
  const version = commit === undefined ? plain : `${plain ?? 'git'}+${commit.slice(0, 8)}`;
  const source = sourceOf(claims, declarations, known);
  const purl = purlOf(commit, source?.repository, version);
  const bomRef = `${purl ?? 'llvm'}#${role}:${site}`;
  const hashes = hashesOf(claims);
  return compact({
    bomRef,
    type: 'library',
    name: 'llvm',
    version,
    purl,
    ...(plain === undefined || !isUpstream(thing, source) ? {} : { cpe: cpeOf(plain) }),
    ...makerOf(thing, source, plain),
    ...(hashes.length === 0 ? {} : { hashes }),
    ...(source === undefined || commit?.length !== 40
      ? {}
      : { externalReferences: [{ type: 'vcs' as const, url: `https://github.com/${source.repository}` }] }),
    properties: propertiesOf(thing, commit === undefined ? undefined : source, overrides),
    evidence: evidenceOf(thing, claims, version),
    ...(source === undefined || source.repository === upstream || commit?.length !== 40
      ? {}
      : { pedigree: { ancestors: [ancestorOf(bomRef)] } }),
  });
}

/** `22.0.0git`: the table knows that LLD's 22.0.0 is of 22.0.0git, and what a bare commit is. */
function plainVersion({ claims, declarations, pin }: Thing, known: Pin | undefined): string | undefined {
  const own = versionOf(claims);
  const told = [known?.version, pin === 'match' ? versionOf(declarations) : undefined].filter(
    (text) => text !== undefined && areCompatible(own ?? text, text),
  );
  return versionOf([own, ...told].map((version) => (version === undefined ? {} : { version })));
}

function sourceOf(
  claims: readonly Claim[],
  declarations: readonly Declaration[],
  known: Pin | undefined,
): LlvmSource | undefined {
  const seen = repositoryNamed(claims);
  const repository = seen ?? repositoryNamed(declarations) ?? known?.repository;
  return repository === undefined ? undefined : { repository, isSeen: seen !== undefined };
}

/**
 * The owner is the one that was seen: GitHub answers for a fork's commit under any repository of the network.
 */
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

function hashesOf(claims: readonly Claim[]): readonly ComponentHash[] {
  // Of several files in one package, the one that is the LLVM: libtriton.so, libLLVM.so.
  const main = claims.find(
    ({ path, sha256 }) => sha256 !== undefined && /(?:^|\/)lib(?:triton|LLVM)[^/]*$/.test(path),
  );
  if (main?.sha256 === undefined) {
    return [];
  }
  const { sha256, sha512 } = main;
  if (sha512 !== undefined) {
    return hashesOfFile({ sha256, sha512 });
  }
  return [{ algorithm: 'SHA-256', value: sha256, subject: 'the file it is linked into' }];
}
