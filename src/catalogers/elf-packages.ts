import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Component } from '../bom/model.ts';
import { toPurl } from '../bom/purl.ts';
import type { Catalog, ObservedFile, Skipped } from './contract.ts';
import type { ElfObservation } from './elf.ts';
import { identifiedBy } from './identity.ts';
import { toOsCpe } from './os/cpe.ts';
import { distributionByCpe } from './os/release-files.ts';

/**
 * The package that a file was built in, as its note says (systemd, "Package Metadata for Executable Files").
 */
interface PackageNote {
  /** Of the source package, as the macros of rpm and debhelper write it. */
  readonly name: string;
  readonly version: string;
  /** `rpm`, `deb`. */
  readonly type: string | undefined;
  readonly architecture: string | undefined;
  /** ID and VERSION_ID of the distribution. */
  readonly os: string | undefined;
  readonly osVersion: string | undefined;
}

const packageTypes: ReadonlySet<string> = new Set(['alpm', 'apk', 'deb', 'rpm']);
const word = /^[A-Za-z0-9][\w.+~-]{0,255}$/;

/**
 * The packages that ELF files in `free` say they were built in. A distribution writes that note into every
 * file it builds: where a package database owns the file, its row says more and better. What was copied
 * without its database (`COPY --from=fedora /usr/lib64/libz.so.1`) says it in no other way.
 *
 * @param free paths of the files that no component of the image owns
 */
export function packagesByNote(
  observed: readonly ObservedFile<ElfObservation>[],
  free: ReadonlySet<string>,
): Catalog {
  const skipped: Skipped[] = [];
  const found: { readonly note: PackageNote; readonly file: ObservedFile<ElfObservation> }[] = [];
  for (const file of observed) {
    const { note } = file.observation;
    if (note === undefined || !free.has(file.path)) {
      continue;
    }
    const read = noteIn(note);
    if (typeof read === 'string') {
      skipped.push({ path: printable(file.path), reason: read });
    } else {
      found.push({ note: read, file });
    }
  }
  const groups = Map.groupBy(found, ({ note }) => JSON.stringify(note));
  const packages = [...groups]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .flatMap(([, files]) => {
      const [first] = files;
      return first === undefined
        ? []
        : [
            packageOf(
              first.note,
              files.map(({ file }) => file),
            ),
          ];
    });
  return {
    components: packages.map(({ component }) => component),
    dependencies: [],
    owners: packages.map(({ component: { bomRef }, paths }) => ({ bomRef, owns: (path) => paths.has(path) })),
    skipped,
    unknownDependencies: packages.map(({ component }) => component.bomRef),
  };
}

/** What the note says, or why it says nothing. */
function noteIn(text: string): PackageNote | string {
  let value: unknown;
  try {
    value = parseJson(text, '.note.package');
  } catch (error) {
    if (error instanceof TcfError) {
      return printable(error.message);
    }
    throw error;
  }
  if (typeof value !== 'object' || value === null) {
    return '.note.package is not an object';
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const textOf = (key: string): string | undefined => {
    const said = fields[key];
    return typeof said === 'string' && /^[!-~]{1,256}$/.test(said) ? said : undefined;
  };
  const name = textOf('name');
  const version = textOf('version');
  if (name === undefined || !word.test(name) || version === undefined) {
    return '.note.package names no package';
  }
  const cpe = toOsCpe(textOf('osCpe') ?? '');
  const byCpe = cpe === undefined ? undefined : distributionByCpe(cpe);
  const os = textOf('os') ?? byCpe?.id;
  return {
    name,
    version,
    type: textOf('type'),
    architecture: textOf('architecture'),
    os: os !== undefined && word.test(os) ? os.toLowerCase() : undefined,
    osVersion: textOf('osVersion') ?? byCpe?.versionId,
  };
}

function packageOf(
  note: PackageNote,
  files: readonly ObservedFile<ElfObservation>[],
): { readonly component: Component; readonly paths: ReadonlySet<string> } {
  const purl = purlOf(note);
  const ordered = [...files].sort((a, b) => byCodeUnit(a.path, b.path));
  const component: Component = {
    bomRef: `${purl}#${ordered[0]?.path ?? ''}`,
    type: 'library',
    name: note.name,
    version: note.version,
    purl,
    evidence: {
      identity: identifiedBy('purl', {
        technique: 'binary-analysis',
        confidence: 0.9,
        value: 'note section .note.package',
      }),
      occurrences: ordered.map(({ path, layer }) => ({ location: path, layer })),
    },
  };
  return { component, paths: new Set(files.flatMap(({ path, links = [] }) => [path, ...links])) };
}

/** Without a distribution nobody knows whose package of that name it is. */
function purlOf({
  architecture,
  name,
  os,
  osVersion,
  type = '',
  version,
}: PackageNote): ReturnType<typeof toPurl> {
  if (os === undefined || !packageTypes.has(type)) {
    return toPurl({ type: 'generic', name, version });
  }
  const distro = osVersion === undefined ? undefined : `${os}-${osVersion}`;
  return toPurl({
    type,
    namespace: os,
    name,
    version,
    qualifiers: compact({ arch: architecture, distro }),
  });
}
