import { normalName } from '../../catalogers/python/metadata.ts';
import {
  choice,
  described,
  either,
  type Form,
  list,
  mapping,
  optional,
  such,
  text,
  textLike,
  textThat,
  whole,
} from '../../policy/form.ts';
import type { Lock, LockedBase, LockedDeb, LockedFile, LockedLlvm, LockedRpm, LockedWheel } from './lock.ts';

/** 1 TiB: the largest wheel on PyPI has 3 GB, a base image of ROCm 20. */
const maxInputSize = 1_099_511_627_776;
/** A development image of Debian has 600 packages, one with a desktop 2500. */
const maxInputs = 20_000;

const word = textLike(
  /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,127}$/,
  'is not a name: letters, digits, ".", "+", "_" and "-"',
);
const versionText = textLike(/^[A-Za-z0-9][A-Za-z0-9.+~:!_-]{0,127}$/, 'is not a version');
const sha256 = textLike(/^[0-9a-f]{64}$/, 'is not a SHA-256: 64 hexadecimal digits in lower case');
const digest = textLike(/^sha256:[0-9a-f]{64}$/, 'is not a digest: sha256: and 64 hexadecimal digits');
const commit = textLike(/^[0-9a-f]{7,40}$/, 'is not a commit: 7 to 40 hexadecimal digits');
const url = textThat(isInputUrl, 'is not an https: URL without user, query and fragment');
const size = whole(1, maxInputSize);
const poolPath = textThat(
  (value) => isPathBelow(value, '.deb'),
  'is not the path of a package in an archive',
);
const folder = textLike(
  /^(?:\.\.?\/)?[A-Za-z0-9][\w.-]*$/,
  'is not a folder beside this one, such as ../base',
);
const epoch = textThat(isEpoch, 'is not a time from 1980 to 2107, such as 2026-11-30T00:00:00Z');

/**
 * https, or http to this machine. What stands in a lock is public: a password in it would be signed with the
 * provenance.
 */
function isInputUrl(value: string): boolean {
  const parsed = URL.parse(value);
  if (
    parsed === null ||
    value.length > 2000 ||
    /[?#\s]/.test(value) ||
    `${parsed.username}${parsed.password}` !== ''
  ) {
    return false;
  }
  return (
    parsed.protocol === 'https:' ||
    (parsed.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(parsed.hostname))
  );
}

function isPathBelow(value: string, end: string): boolean {
  return (
    value.endsWith(end) &&
    /^[\w.+~^%-]+(?:\/[\w.+~^%-]+)*$/.test(value) &&
    value.split('/').every((part) => !/^\.+$/.test(part))
  );
}

/** Zip, in which wheels come, knows no other years. */
function isEpoch(value: string): boolean {
  const year = Number(value.slice(0, 4));
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) &&
    !Number.isNaN(Date.parse(value)) &&
    year >= 1980 &&
    year <= 2107
  );
}

const deb: Form<LockedDeb> = mapping({
  name: word,
  version: versionText,
  sha256: described(sha256, 'from the signed index of the archive'),
  size,
  path: described(poolPath, 'below the root of the archive, wherever that is'),
  from: optional(choice('security'), 'the archive for security; absent: the main one'),
  for: optional(word, 'the package that needs it; absent: the lock asks for it, or it is essential'),
});

const rpm: Form<LockedRpm> = mapping({
  name: word,
  version: described(
    textLike(/^(?:[1-9]\d*:)?[A-Za-z0-9][\w.+~^]*-[A-Za-z0-9][\w.+~^]*$/, 'is not EPOCH:VERSION-RELEASE'),
    'EPOCH:VERSION-RELEASE, without an epoch of 0',
  ),
  arch: textLike(/^[a-z0-9_]{1,20}$/, 'is not an architecture'),
  sha256: described(sha256, 'from the metadata of the repository'),
  size,
  path: described(
    textThat((value) => isPathBelow(value, '.rpm'), 'is not the path of a package in a repository'),
    'below the root of the repository, wherever that is',
  ),
  from: described(word, 'the repository'),
  for: optional(word, 'the package that needs it; absent: the lock asks for it'),
});

const wheel: Form<LockedWheel> = such(
  mapping({
    name: word,
    version: versionText,
    sha256,
    file: described(textThat(isWheelFile, 'is not the file name of a wheel'), 'as every index has it'),
    for: optional(word, 'the distribution that needs it; absent: the lock asks for it'),
  }),
  ({ file: named, name, version }) => {
    const [distribution = '', release = ''] = named.split('-');
    return normalName(distribution) === normalName(name) && release === version.replaceAll('-', '_')
      ? undefined
      : `is ${name} ${version}, and its file ${named}`;
  },
);

/** Distribution, version, perhaps a build, and three tags (PEP 427). */
function isWheelFile(value: string): boolean {
  return (
    value.length <= 255 &&
    /^[A-Za-z0-9][\w.]*-[A-Za-z0-9][\w.+!]*(?:-\d[\w.]*)?-[\w.]+-[\w.]+-[\w.]+\.whl$/.test(value)
  );
}

const file: Form<LockedFile> = either(
  mapping({
    name: word,
    version: optional(versionText),
    sha256,
    size: optional(size),
    url,
    license: optional(text, 'SPDX expression'),
  }),
  mapping({
    name: word,
    sha256,
    path: described(
      textLike(
        /^\.\.\/[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/,
        'is not a file of a folder beside this one: ../FOLDER/FILE',
      ),
      'what several images share has one home, in the folder of one of them',
    ),
  }),
);

const llvmPin: Form<LockedLlvm> = such(
  mapping({
    role: choice('core', 'amd-codegen', 'nvidia-codegen'),
    commit,
    repository: optional(textLike(/^[\w.-]+\/[\w.-]+$/, 'is not OWNER/NAME')),
    version: optional(versionText),
    in: described(
      choice('wheel', 'tarball'),
      'wheel: linked into the wheel of Triton and proven by its hash; tarball: the prebuilt one, an input of its own',
    ),
    url: optional(url),
    sha256: optional(sha256),
  }),
  ({ in: where, sha256: hash }) =>
    where === 'tarball' && hash === undefined
      ? 'is a tarball without sha256, so anything could be in it'
      : undefined,
);

const base: Form<LockedBase> = either(
  mapping({ lock: described(folder, 'the folder of another lock, whose image this one is built on') }),
  mapping({ image: described(text, 'registry/repository[:tag]'), digest }),
  mapping({
    rpm: described(word, 'release of a system of rpm: rpm makes the base from the packages of this lock'),
  }),
  mapping({
    debootstrap: described(word, 'suite of Debian: mmdebstrap makes the base from the packages of this lock'),
  }),
);

/** `[]` before the first update. */
function orNone<Item>(items: Form<readonly Item[]>): Form<readonly Item[]> {
  const isNone = (value: unknown): value is readonly Item[] => Array.isArray(value) && value.length === 0;
  const { minItems: _, ...schema } = items.schema();
  return {
    ...items,
    read: (value, at) => (isNone(value) ? value : items.read(value, at)),
    schema: () => schema,
  };
}

export const lockForm: Form<Lock> = such(
  mapping({
    version: choice(1),
    image: described(word, 'name of the image'),
    title: optional(text),
    notes: optional(list(text, 100), 'what a reader must know about these inputs'),
    platform: choice('linux/amd64', 'linux/arm64'),
    epoch: described(epoch, 'no time in the image is later (SOURCE_DATE_EPOCH)'),
    compression: described(choice('zstd', 'gzip'), 'of layers: zstd of level 3, gzip of level 6'),
    base,
    want: optional(
      mapping({
        debian: optional(list(word, maxInputs)),
        rpm: optional(list(word, maxInputs)),
        python: optional(
          list(textLike(/^[A-Za-z0-9][ -~]{0,199}$/, 'is not a requirement such as "cmake<4"'), 1000),
        ),
        triton: optional(versionText, 'release of Triton on PyPI'),
      }),
      'what people asked for; tcf lock update turns it into the rest',
    ),
    debian: optional(
      mapping({
        suite: word,
        packages: orNone(list(deb, maxInputs)),
      }),
    ),
    rpm: optional(
      mapping({
        release: word,
        repositories: list(word, 100),
        packages: orNone(list(rpm, maxInputs)),
      }),
    ),
    python: optional(
      mapping({
        version: textLike(/^3\.\d{1,2}$/, 'is not a version such as 3.13'),
        wheels: orNone(list(wheel, maxInputs)),
      }),
    ),
    triton: optional(
      mapping({ commit, repository: optional(text) }),
      'a checkout that is developed in the image, which has no wheel of Triton then',
    ),
    llvm: optional(list(llvmPin, 8)),
    files: optional(list(file, maxInputs)),
  }),
  problemOf,
);

/** What no single member can see. */
function problemOf({ base: under, debian, files, llvm, python, rpm: rpms }: Lock): string | undefined {
  if ('debootstrap' in under && under.debootstrap !== debian?.suite) {
    return `has a base of ${under.debootstrap} and no packages of that suite`;
  }
  if ('rpm' in under && under.rpm !== rpms?.release) {
    return `has a base of release ${under.rpm} and no packages of that release`;
  }
  const strange = rpms?.packages.find(({ from }) => !rpms.repositories.includes(from));
  if (strange !== undefined) {
    return `takes ${strange.name} from the repository ${strange.from}, which it does not name`;
  }
  return (
    twice(
      'rpm.packages',
      rpms?.packages.map(({ arch, name }) => `${name}.${arch}`),
    ) ??
    twice(
      'debian.packages',
      debian?.packages.map(({ name }) => name),
    ) ??
    twice(
      'python.wheels',
      python?.wheels.map(({ name }) => normalName(name)),
    ) ??
    twice(
      'llvm',
      llvm?.map((pin) => `${pin.role} ${pin.in}`),
    ) ??
    twice(
      'files',
      files?.map(({ name }) => name),
    )
  );
}

function twice(where: string, names: readonly string[] = []): string | undefined {
  const again = names.find((name, index) => names.indexOf(name) !== index);
  return again === undefined ? undefined : `has ${again} twice in ${where}`;
}
