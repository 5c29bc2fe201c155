import { byCodeUnit } from '../../base/text.ts';
import type { Lock } from './lock.ts';

/**
 * A lock as text: one line for each input, in a fixed order, so that a change of one input is a change of one
 * line. JSON strings are YAML, and need no rules about quotes.
 */
export function formatLock(lock: Lock): string {
  const lines: string[] = [
    '# Every input of the image, by hash. tcf lock update writes what stands below "want"; docs/images.md says how to read it.',
    ...members({
      version: lock.version,
      image: lock.image,
      title: lock.title,
      platform: lock.platform,
      epoch: lock.epoch,
      compression: lock.compression,
      base: lock.base,
    }),
    ...listOf('notes', lock.notes),
  ];
  const { debian, files, llvm, python, rpm, want } = lock;
  const wanted = [
    ...members({ triton: want?.triton }, '  '),
    ...listOf('debian', want?.debian, '  '),
    ...listOf('rpm', want?.rpm, '  '),
    ...listOf('python', want?.python, '  '),
  ];
  lines.push(...(wanted.length === 0 ? [] : ['want:', ...wanted]));
  lines.push(...members({ triton: lock.triton }), ...listOf('llvm', llvm));
  if (python !== undefined) {
    lines.push('python:', ...members({ version: python.version }, '  '));
    lines.push(
      ...(python.wheels.length === 0
        ? ['  wheels: []']
        : listOf('wheels', python.wheels.toSorted(byName), '  ')),
    );
  }
  lines.push(...listOf('files', files?.toSorted(byName)));
  if (debian !== undefined) {
    lines.push('debian:', ...members({ suite: debian.suite }, '  '));
    lines.push(
      ...(debian.packages.length === 0
        ? ['  packages: []']
        : listOf('packages', debian.packages.toSorted(byName), '  ')),
    );
  }
  if (rpm !== undefined) {
    lines.push(
      'rpm:',
      ...members({ release: rpm.release }, '  '),
      ...listOf('repositories', rpm.repositories, '  '),
    );
    lines.push(
      ...(rpm.packages.length === 0
        ? ['  packages: []']
        : listOf('packages', rpm.packages.toSorted(byName), '  ')),
    );
  }
  return `${lines.join('\n')}\n`;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  byCodeUnit(a.name, b.name);

function members(record: Readonly<Record<string, unknown>>, indent = ''): readonly string[] {
  return Object.entries(record).flatMap(([key, value]) =>
    value === undefined ? [] : [`${indent}${key}: ${inline(value)}`],
  );
}

function listOf(key: string, items: readonly unknown[] | undefined, indent = ''): readonly string[] {
  return items === undefined || items.length === 0
    ? []
    : [`${indent}${key}:`, ...items.map((item) => `${indent}  - ${inline(item)}`)];
}

/** Text that YAML reads as the same text, without quotes where that is plain to see. */
function inline(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const parts = Object.entries(value).flatMap(([key, each]) =>
      each === undefined ? [] : [`${key}: ${inline(each)}`],
    );
    return `{ ${parts.join(', ')} }`;
  }
  const isPlain =
    typeof value === 'string' &&
    /^(?:https:\/\/|\.\.?\/|[a-z])[A-Za-z0-9.+~/%_-]*$/.test(value) &&
    !/^(?:true|false|null|yes|no|on|off)$/.test(value);
  return isPlain ? value : JSON.stringify(value);
}
