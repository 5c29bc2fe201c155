import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zip } from '../support/zip.ts';
import { must } from './support.ts';

/** The real installers, once for each set of versions, and small wheels to install. */
export interface Tools {
  readonly python: string;
  readonly uv: string;
  readonly poetry: string;
  readonly virtualenv: string;
  /** Folder with the wheels of `wheels`. */
  readonly wheels: string;
}

const pinned = ['uv==0.9.11', 'virtualenv==20.35.4', 'poetry==2.2.1', 'pip==25.3'];

/** Requirements reach over names that are spelled differently, an extra and a marker. */
const wheels: readonly (readonly [string, string, readonly string[]])[] = [
  ['alpha', '1.0', []],
  ['alpha', '2.0', []],
  ['beta.Name_space', '1.5', ['alpha', 'delta ; extra == "more"']],
  ['gamma', '0.1', ['Beta-Name.Space[more]', 'nowhere ; python_version < "3"']],
  ['delta', '3.0.post1', []],
];

export async function openTools(work: string): Promise<Tools> {
  const folder = join(
    work,
    `python-tools-${createHash('sha256').update(pinned.join()).digest('hex').slice(0, 8)}`,
  );
  const python = (await must('python3', ['-c', 'import sys; print(sys.executable)'])).trim();
  if (!existsSync(join(folder, 'done'))) {
    await must(python, ['-m', 'venv', '--clear', folder]);
    await must(join(folder, 'bin/pip'), ['install', '--quiet', ...pinned]);
    writeFileSync(join(folder, 'done'), '');
  }
  const store = join(work, 'python-tiny-wheels');
  mkdirSync(store, { recursive: true });
  for (const [name, version, requires] of wheels) {
    writeWheel(store, name, version, requires);
  }
  const bin = (name: string) => join(folder, 'bin', name);
  return { python, uv: bin('uv'), poetry: bin('poetry'), virtualenv: bin('virtualenv'), wheels: store };
}

function writeWheel(store: string, name: string, version: string, requires: readonly string[]): void {
  const module = name.replace(/[-.]/g, '_').toLowerCase();
  const info = `${module}-${version}.dist-info`;
  const hash = (text: string) => `sha256=${createHash('sha256').update(text).digest('base64url')}`;
  const extras = requires.some((text) => text.includes('extra ==')) ? ['Provides-Extra: more'] : [];
  const files = {
    [`${module}.py`]: `version = '${version}'\n`,
    [`${info}/METADATA`]: [
      ...['Metadata-Version: 2.1', `Name: ${name}`, `Version: ${version}`],
      ...extras,
      ...requires.map((text) => `Requires-Dist: ${text}`),
      '',
      '',
    ].join('\n'),
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  };
  const record = Object.entries(files).map(([path, text]) => `${path},${hash(text)},${text.length}\n`);
  const content = { ...files, [`${info}/RECORD`]: `${record.join('')}${info}/RECORD,,\n` };
  writeFileSync(join(store, `${module}-${version}-py3-none-any.whl`), zip(content));
}

/**
 * A project whose backend is its own: no installer needs a network to build it, and setuptools left its
 * egg-info where sources lie.
 */
export function writeProject(folder: string, layout: 'flat' | 'src'): void {
  const sources = layout === 'src' ? join(folder, 'src') : folder;
  mkdirSync(join(sources, 'epsilon.egg-info'), { recursive: true });
  writeFileSync(join(sources, 'epsilon.py'), '');
  writeFileSync(
    join(sources, 'epsilon.egg-info/PKG-INFO'),
    'Metadata-Version: 2.1\nName: epsilon\nVersion: 7.0\n',
  );
  writeFileSync(
    join(folder, 'pyproject.toml'),
    '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n[project]\nname = "epsilon"\nversion = "7.0"\ndependencies = ["alpha"]\n',
  );
  writeFileSync(join(folder, 'backend.py'), backend(sources));
}

const backend = (sources: string) => `import os, zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = 'epsilon-7.0-py3-none-any.whl'
    info = 'epsilon-7.0.dist-info'
    files = {'__editable__.epsilon-7.0.pth': ${JSON.stringify(`${sources}\n`)},
             info + '/METADATA': 'Metadata-Version: 2.1\\nName: epsilon\\nVersion: 7.0\\nRequires-Dist: alpha\\n',
             info + '/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'}
    with zipfile.ZipFile(os.path.join(folder, name), 'w') as wheel:
        for path, text in files.items(): wheel.writestr(path, text)
        wheel.writestr(info + '/RECORD', ''.join(path + ',,\\n' for path in files) + info + '/RECORD,,\\n')
    return name
`;
