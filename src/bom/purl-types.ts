/** What one purl type asks beyond the core specification; a type without an entry has the core rules only. */
export interface PurlRules {
  /**
   * `expected`: the distribution, which scanners that do not know it leave out; `readPurl` takes that,
   * `parsePurl` does not.
   */
  readonly namespace?: 'expected' | 'prohibited' | 'required';
  /** Parts that are compared without case, and so are written in lower case. */
  readonly lowercase?: readonly ('name' | 'namespace' | 'subpath' | 'version')[];
  /** The namespace is one segment, the host, and the name is a path. */
  readonly pathName?: true;
  /** Keys of qualifiers may be written in capitals. */
  readonly anyCaseKeys?: true;
  toName?(name: string, qualifiers: Readonly<Record<string, string>>, namespace: string): string;
  /** Why the parts are not a purl of this type. */
  refuse?(parts: {
    readonly namespace: string;
    readonly name: string;
    readonly version: string;
    readonly qualifiers: Readonly<Record<string, string>>;
  }): string | undefined;
}

const both = ['namespace', 'name'] as const;

/** Rules of the registered types, after the type definitions of the purl specification. */
export const purlRules: Readonly<Record<string, PurlRules>> = {
  alpm: { namespace: 'required', lowercase: both },
  apk: { namespace: 'expected', lowercase: both },
  bazel: { namespace: 'prohibited' },
  bitbucket: { namespace: 'required', lowercase: both },
  bitnami: { namespace: 'prohibited', lowercase: ['name'] },
  brew: { lowercase: both },
  cargo: { namespace: 'prohibited' },
  'chrome-extension': {
    namespace: 'prohibited',
    lowercase: ['name'],
    refuse: ({ name, version }) => {
      if (!/^[a-p]{32}$/.test(name)) {
        return 'a Chrome extension is named by 32 letters from a to p';
      }
      const isVersion = /^(?:\d+(?:\.\d+){0,3})?$/.test(version);
      return isVersion ? undefined : 'a Chrome extension has up to four numbers as version';
    },
  },
  cocoapods: { namespace: 'prohibited' },
  composer: { namespace: 'required', lowercase: both },
  conda: { namespace: 'prohibited' },
  cpan: {
    refuse: ({ name }) => (name.includes('::') ? 'it names a module, not a distribution' : undefined),
  },
  cran: { namespace: 'prohibited' },
  deb: { namespace: 'expected', lowercase: both },
  gem: { namespace: 'prohibited' },
  git: {
    namespace: 'required',
    pathName: true,
    // GitHub compares owners and repositories without case.
    toName: (name, _, host) => (/^github(?:\.com)?$/i.test(host) ? name.toLowerCase() : name),
  },
  github: { namespace: 'required', lowercase: both },
  // `pkg:golang/stdlib` is the standard library to everybody who has advisories about it.
  golang: {},
  hackage: { namespace: 'prohibited' },
  hex: { lowercase: both },
  huggingface: { namespace: 'required', lowercase: ['version'] },
  julia: {
    namespace: 'prohibited',
    refuse: ({ qualifiers }) => (qualifiers['uuid'] === undefined ? 'Julia packages need a uuid' : undefined),
  },
  luarocks: { lowercase: both },
  maven: { namespace: 'required', anyCaseKeys: true },
  mlflow: {
    namespace: 'prohibited',
    // Databricks compares names without case, Azure ML does not.
    toName: (name, { repository_url: url = '' }) => (url.includes('databricks') ? name.toLowerCase() : name),
  },
  nuget: { namespace: 'prohibited' },
  oci: { namespace: 'prohibited', lowercase: ['name', 'version'] },
  opam: { namespace: 'prohibited' },
  otp: { namespace: 'prohibited', lowercase: ['name', 'subpath'] },
  pub: {
    namespace: 'prohibited',
    lowercase: ['name'],
    toName: (name) => name.replace(/[^a-z0-9_]/g, '_'),
  },
  pypi: {
    namespace: 'prohibited',
    lowercase: ['name', 'version'],
    // Dots stay: `ruamel.yaml` is written so in the specification and in every advisory database.
    toName: (name) => name.replaceAll('_', '-'),
  },
  qpkg: { namespace: 'required', lowercase: ['namespace'] },
  rpm: { namespace: 'expected', lowercase: ['namespace'] },
  swid: {
    refuse: ({ qualifiers }) => (qualifiers['tag_id'] === undefined ? 'SWID tags need a tag_id' : undefined),
  },
  swift: { namespace: 'required' },
  vcpkg: { namespace: 'prohibited' },
  'vscode-extension': { namespace: 'required', lowercase: ['namespace', 'name', 'version'] },
  yocto: { lowercase: ['namespace'] },
};
