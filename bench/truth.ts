import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { must, runImage, scratchPath } from './processes.ts';

/** `deb bash 5.2.15-2+b2 amd64`: what two tools must agree in to mean the same package. */
export type Key = string;

export const managers = ['deb', 'rpm', 'apk', 'pypi'] as const;
export type Manager = (typeof managers)[number];

/** Prints one line for each package that the image's own package manager calls installed. */
const questions: Readonly<Record<Manager, string>> = {
  deb: `dpkg-query -W -f '\${db:Status-Status} \${Package} \${Version} \${Architecture}\\n' | sed -nE 's/^(installed|unpacked|half-configured|triggers-awaited|triggers-pending) /deb /p'`,
  rpm: `rpm -qa --qf 'rpm %{NAME} %{EVR} %{ARCH}\\n' | grep -v '^rpm gpg-pubkey '`,
  apk: `apk list -I | sed -E 's/^(.*)-([^-]+-r[0-9]+) ([^ ]+) .*/apk \\1 \\2 \\3/'`,
  pypi: `find / -xdev \\( -name proc -o -name sys \\) -prune -o -path '*/bin/python3' -print | while read -r python; do
      "$python" -I -c 'import importlib.metadata as m
for d in m.distributions(): print("pypi", d.name, d.version)'; done`,
};

const present: Readonly<Record<Manager, string>> = {
  deb: 'command -v dpkg-query',
  rpm: 'command -v rpm && rpm -q --whatprovides rpm',
  apk: 'command -v apk',
  pypi: 'command -v python3',
};

/** What the tools inside the image say; a manager that is not in the image is absent. */
export function askImage(image: string): ReadonlyMap<Manager, ReadonlySet<Key>> {
  const answers = new Map<Manager, ReadonlySet<Key>>();
  for (const manager of managers) {
    // A root that is no container has no /dev/null.
    const script = `if found=$(${present[manager]} 2>&1); then echo present; ${questions[manager]}; fi`;
    const [first, ...lines] = runImage(image, script)
      .split('\n')
      .filter((line) => line !== '');
    if (first === 'present') {
      answers.set(manager, new Set(lines.map(normalized)));
    }
  }
  if (!answers.has('rpm')) {
    const lines = askHostAboutRpm(image);
    if (lines.length > 0) {
      answers.set('rpm', new Set(lines.map(normalized)));
    }
  }
  return answers;
}

/**
 * An image may hold a database and no rpm: then rpm of this host reads a copy of it, in the two places where
 * distributions have it.
 */
function askHostAboutRpm(image: string): readonly string[] {
  const mounted = must('podman', ['image', 'mount', image]).trim();
  try {
    const place = ['usr/lib/sysimage/rpm', 'var/lib/rpm']
      .map((folder) => join(mounted, folder))
      .find((folder) => existsSync(folder) && readdirSync(folder).length > 0);
    if (place === undefined) {
      return [];
    }
    const copy = scratchPath(`rpm-${readdirSync(place).length}-${image.replaceAll(/[^a-z0-9]/gi, '-')}`);
    cpSync(place, copy, { recursive: true });
    const format = 'rpm %{NAME} %{EVR} %{ARCH}\\n';
    const all = must('rpm', ['--dbpath', copy, '-qa', '--qf', format]).split('\n');
    return all.filter((line) => line !== '' && !line.startsWith('rpm gpg-pubkey '));
  } finally {
    must('podman', ['image', 'unmount', image]);
  }
}

/** PEP 503 names for Python, everything else as it is. */
export function normalized(line: string): Key {
  const [manager = '', name = '', ...rest] = line.trim().split(/\s+/);
  const plain = manager === 'pypi' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name;
  return [manager, plain, ...rest].join(' ');
}
