import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/*
 * Rules for the Containerfiles of images/, those of hadolint that matter here among them (DL3002, DL3004,
 * DL3020, DL4001).
 */

const images = join(import.meta.dirname, '../../images');
const names = readdirSync(images).filter((name) => existsSync(join(images, name, 'Containerfile')));

/** Instructions with their lines joined, comments left out. */
function instructionsOf(name: string): readonly string[] {
  return readFileSync(join(images, name, 'Containerfile'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

test('there are images to look at', () => {
  expect(names.sort()).toEqual(['base', 'base-centos', 'cpu', 'cuda', 'kernel', 'rocm']);
});

test.for(names)('%s: one stage on BASE, inputs from the lock only, nobody starts as root', (name) => {
  const instructions = instructionsOf(name);
  expect(instructions.slice(0, 2)).toEqual(['ARG BASE', `FROM \${BASE}`]);
  expect(instructions.filter((line) => line.startsWith('FROM'))).toHaveLength(1);
  // A COPY --from, an ADD and a program that downloads would bring what no lock names.
  expect(
    instructions.filter((line) =>
      /^ADD\b|--from=|\b(?:curl|wget|git clone|sudo|npm|dnf install|yum install)\b/.test(line),
    ),
  ).toEqual([]);
  expect(instructions.filter((line) => /^(?:ENTRYPOINT|ONBUILD|SHELL)\b/.test(line))).toEqual([]);
  const users = instructions.filter((line) => line.startsWith('USER'));
  expect(users.at(-1) ?? 'USER 1000:1000').toBe('USER 1000:1000');
});

test.for(names)('%s: pip and apt see nothing but /inputs', (name) => {
  for (const line of instructionsOf(name).filter((each) =>
    /\bpip\b.* install|apt-get.* install/.test(each),
  )) {
    expect(line).toMatch(/^RUN --mount=type=bind,source=inputs,target=\/inputs /);
    expect(line).toMatch(/--no-index|APT_CONFIG=/);
  }
});
