import { compact } from '../../base/compact.ts';
import { TcfError } from '../../base/error.ts';
import type { Component, Property } from '../../bom/model.ts';
import { type Purl, toPurl } from '../../bom/purl.ts';
import type { ObservedFile } from '../contract.ts';
import { hashesOfFile } from '../file-hashes.ts';
import { identifiedBy } from '../identity.ts';
import type { RawBuildInfo } from './build-info.ts';
import type { GoBuild, GoModule } from './build-lines.ts';

/** What is kept of a file. */
export interface GoProgram extends RawBuildInfo {
  /** Absent where only the end of the file showed that it is one of Go. */
  readonly hashes?: { readonly sha256: string; readonly sha512: string };
}

/** A program with the modules that were linked into it. */
export function goComponent(file: ObservedFile<GoProgram>, info: GoBuild): Component {
  const { go, hashes } = file.observation;
  const name = info.main?.path ?? info.program ?? file.path.slice(file.path.lastIndexOf('/') + 1);
  const version = info.main?.version;
  const purl = info.main === undefined ? undefined : purlOf(info.main);
  const identity = identifiedBy(purl === undefined ? 'name' : 'purl', {
    technique: 'binary-analysis',
    confidence: 0.95,
    value: 'Go build information',
  });
  const linked = [standardLibrary(go), ...info.modules.map(partOf)].map((part) => ({
    ...part,
    bomRef: `${part.bomRef}#${file.path}`,
    evidence: { identity },
  }));
  return compact({
    bomRef: `${purl ?? `go:${name}`}#${file.path}`,
    type: 'application',
    name,
    version,
    purl,
    ...(hashes === undefined ? {} : { hashes: hashesOfFile(hashes) }),
    properties: [
      { name: 'tcf:go:toolchain', value: go },
      ...(info.program === undefined ? [] : [{ name: 'tcf:go:package', value: info.program }]),
      ...propertiesOf(info.main),
      ...['CGO_ENABLED', 'vcs.modified', 'vcs.revision'].flatMap((key): readonly Property[] => {
        const value = info.settings.get(key) ?? '';
        const setting = key.replace('.', '-');
        return value === '' ? [] : [{ name: `tcf:go:build:${setting}`, value }];
      }),
    ],
    evidence: { identity, occurrences: [{ location: file.path, layer: file.layer }] },
    // Two lines of the same module would be two components of one name.
    components: [...new Map(linked.map((part) => [part.bomRef, part])).values()],
  });
}

function partOf(module: GoModule): Component {
  const purl = purlOf(module);
  const properties = propertiesOf(module);
  return compact({
    bomRef: purl ?? `go:${module.path}`,
    type: 'library',
    name: module.path,
    version: module.version,
    purl,
    ...(properties.length === 0 ? {} : { properties }),
  });
}

function propertiesOf(module: GoModule | undefined): readonly Property[] {
  return [
    ...(module?.sum === undefined ? [] : [{ name: 'tcf:go:sum', value: module.sum }]),
    ...(module?.replaces === undefined ? [] : [{ name: 'tcf:go:replaces', value: module.replaces }]),
  ];
}

/**
 * It is linked into every program and is part of the toolchain; Go's vulnerability database and all scanners
 * call it so.
 */
function standardLibrary(go: string): Component {
  const [, release] = /^go(1\.\d{1,3}(?:\.\d{1,3})?(?:(?:beta|rc)\d{1,2})?)(?![\w.])/.exec(go) ?? [];
  const purl =
    release === undefined ? undefined : toPurl({ type: 'golang', name: 'stdlib', version: release });
  return compact({
    bomRef: purl ?? 'go:stdlib',
    type: 'library',
    name: 'stdlib',
    version: release ?? go,
    purl,
    ...(release === undefined || /[a-z]/.test(release)
      ? {}
      : { cpe: `cpe:2.3:a:golang:go:${release}:*:*:*:*:*:*:*` }),
    supplier: { name: 'The Go Authors', url: 'https://go.dev/' },
    ...(release === undefined
      ? {}
      : { externalReferences: [{ type: 'vcs', url: `https://github.com/golang/go/tree/go${release}` }] }),
    licenses: [{ acknowledgement: 'concluded', expression: 'BSD-3-Clause' }],
  });
}

/**
 * A module in place of which something else was linked has none, nor has a path that is no module of a proxy.
 */
function purlOf({ path, replaces, version }: GoModule): Purl | undefined {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || replaces?.includes(' by ') === true) {
    return undefined;
  }
  try {
    return toPurl(
      compact({
        type: 'golang',
        namespace: path.slice(0, slash),
        name: path.slice(slash + 1),
        version,
      }),
    );
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}
