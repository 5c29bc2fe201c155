import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage, writeOciLayout } from '../test/support/image.ts';
import { archive, file } from '../test/support/tar.ts';

/*
 * How many files a new thing of each kind touches: npm run figures:extend. Each is added to a copy of src as
 * a newcomer would, checked by the compiler, tried, and thrown away with the copy. A thing that needs a third
 * file does not compile or does not answer.
 */

const root = join(import.meta.dirname, '..');

interface Addition {
  readonly kind: string;
  /** The new file, below src. */
  readonly file: string;
  readonly content: string;
  /** The list that it joins: file below src, and each text with what takes its place. */
  readonly list: string;
  readonly edits: readonly (readonly [string, string])[];
  /** What is typed, and what the answer has in it. */
  readonly argv: readonly string[];
  readonly answer: RegExp;
}

const additions: readonly Addition[] = [
  {
    kind: 'ecosystem',
    file: 'catalogers/gem.ts',
    content: `import { toPurl } from '../bom/purl.ts';
import type { Cataloger } from './contract.ts';

/** Specifications of Ruby gems. */
export const gem: Cataloger = {
  name: 'gem',
  wants: (path) => path.endsWith('.gemspec'),
  catalog: (tree) => ({
    components: tree.wanted().map(({ path }) => {
      const [, name = '', version = ''] = /([^/]+)-([^-/]+)\\.gemspec$/.exec(path) ?? [];
      const purl = toPurl({ type: 'gem', name, version });
      return { bomRef: \`\${purl}#\${path}\`, type: 'library' as const, name, version, purl };
    }),
    dependencies: [],
    skipped: [],
  }),
};
`,
    list: 'catalogers/index.ts',
    edits: [
      ['import { goBinary }', "import { gem } from './gem.ts';\nimport { goBinary }"],
      ['  goBinary,\n', '  gem,\n  goBinary,\n'],
    ],
    argv: ['sbom', 'oci:layout'],
    answer: /pkg:gem\/rake@13\.0\.6/,
  },
  {
    kind: 'policy rule',
    file: 'policy/rules/max-layers.ts',
    content: `import { asking, described, mapping, whole } from '../form.ts';
import type { Rule } from '../rule.ts';

/** An example. */
export const maxLayers: Rule<{ readonly count: number }> = {
  name: 'maxLayers',
  summary: 'The image has few layers.',
  params: asking(mapping({ count: described(whole(1, 1000), 'the most layers') })),
  evaluate: () => ({ rule: 'maxLayers', outcome: 'cannot-tell', message: 'nobody counted the layers' }),
};
`,
    list: 'policy/rules/index.ts',
    edits: [
      ['import { provenance }', "import { maxLayers } from './max-layers.ts';\nimport { provenance }"],
      ['  licenses,\n', '  licenses,\n  maxLayers,\n'],
    ],
    argv: ['policy', 'schema'],
    answer: /"maxLayers"/,
  },
  {
    kind: 'verb',
    file: 'commands/hello.ts',
    content: `import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(): void {},
  async run(host): Promise<number> {
    await host.stdout.write('hello\\n');
    return 0;
  },
};
`,
    list: 'commands/index.ts',
    edits: [
      [
        "  {\n    name: 'keygen',",
        "  { name: 'hello', group: 'More', usage: '', summary: 'say hello', load: () => import('./hello.ts') },\n  {\n    name: 'keygen',",
      ],
    ],
    argv: ['hello'],
    answer: /^hello\n$/,
  },
  {
    kind: 'output format',
    file: 'bom/formats/names.ts',
    content: `import type { SbomFormat } from './format.ts';

/** One name a line. */
export const names: SbomFormat = {
  name: 'names',
  summary: 'one name a line',
  write: ({ bom }) => bom.components.map(({ name }) => \`name=\${name}\\n\`).join(''),
};
`,
    list: 'bom/formats/index.ts',
    edits: [
      ['import type { SbomFormat }', "import { names } from './names.ts';\nimport type { SbomFormat }"],
      ['cyclonedxXml,\n', 'cyclonedxXml,\n  names,\n'],
      ['cyclonedxXml];', 'cyclonedxXml, names];'],
    ],
    argv: ['sbom', 'oci:layout', '--format', 'names'],
    answer: /^name=/m,
  },
  {
    kind: 'image source',
    file: 'image/from-nowhere.ts',
    content: `import { cannotTell } from '../base/error.ts';
import type { ImageSource } from './contract.ts';

/** An example. */
export const nowhere: ImageSource = {
  transport: 'nowhere',
  form: 'nowhere:NAME',
  parse: () => ({ transport: 'nowhere' }),
  open: () => Promise.reject(cannotTell('image.nowhere', 'it lies nowhere')),
};
`,
    list: 'image/source.ts',
    edits: [
      ['import { ociLayout }', "import { nowhere } from './from-nowhere.ts';\nimport { ociLayout }"],
      ['  containersStorage,\n', '  containersStorage,\n  nowhere,\n'],
    ],
    argv: ['sbom', 'nowhere:x'],
    answer: /it lies nowhere/,
  },
];

function tryAddition(addition: Addition): number {
  const copy = mkdtempSync(join(tmpdir(), 'tcf-extend-'));
  try {
    for (const name of ['src', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, name), join(copy, name), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    mkdirSync(join(copy, 'test'));
    writeFileSync(join(copy, 'src', addition.file), addition.content);
    const list = join(copy, 'src', addition.list);
    let text = readFileSync(list, 'utf8');
    for (const [from, to] of addition.edits) {
      text = text.replace(from, () => to);
    }
    writeFileSync(list, text);
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', copy], {
      stdio: 'inherit',
    });
    const answer = type(copy, addition.argv);
    if (!addition.answer.test(answer)) {
      throw new Error(`tcf ${addition.argv.join(' ')} answered ${answer}`);
    }
    return 2;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function type(copy: string, argv: readonly string[]): string {
  const cwd = join(copy, 'test');
  const layer = archive(
    file('usr/lib/ruby/specifications/rake-13.0.6.gemspec', 'x'),
    file('etc/os-release', 'ID=debian\n'),
  );
  writeOciLayout(join(cwd, 'layout'), { image: buildImage({ layers: [layer] }) });
  try {
    return execFileSync(process.execPath, [join(copy, 'src/main.ts'), ...argv], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
}

process.stdout.write('| a new | files |\n| --- | --- |\n');
for (const addition of additions) {
  process.stdout.write(`| ${addition.kind} | ${tryAddition(addition)} |\n`);
}
