const labels: Readonly<Record<string, string>> = {
  alpm: 'Arch packages',
  apk: 'Alpine packages',
  application: 'programs',
  cargo: 'Rust crates',
  conda: 'Conda packages',
  deb: 'Debian packages',
  file: 'files',
  generic: 'programs and libraries',
  github: 'sources on GitHub',
  golang: 'Go modules',
  library: 'libraries',
  npm: 'npm packages',
  'operating-system': 'operating system',
  pypi: 'Python packages',
  rpm: 'RPM packages',
};

/** What a kind of item (`ContentItem.kind`) is called; a kind that nobody knows, by its own word. */
export function labelOfKind(kind: string): string {
  return Object.hasOwn(labels, kind) ? (labels[kind] ?? kind) : kind;
}
