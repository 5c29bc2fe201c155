import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type } from '../support/host.ts';

/*
 * Updates for security that are missing in Debian 12 and 13 as they were released, by the indexes of the
 * archive alone, beside what apt itself says in the same roots.
 */

const folder = '/var/tmp/tcf-interop/debian-updates';

beforeAll(() => {
  execFileSync('bash', [join(import.meta.dirname, 'debian-updates.sh'), folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}, 1_200_000);

/** The root as an image of one layer. */
async function writeImage(release: string): Promise<string> {
  const layer = join(folder, `layer-${release}.tar`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(layer)) {
    hash.update(chunk);
  }
  const place = join(folder, `image-${release}`);
  mkdirSync(place, { recursive: true });
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${hash.digest('hex')}`] },
  });
  const name = `${createHash('sha256').update(config).digest('hex')}.json`;
  writeFileSync(join(place, name), config);
  writeFileSync(
    join(place, 'manifest.json'),
    JSON.stringify([{ Config: name, RepoTags: [`debian:${release}`], Layers: [`layer-${release}.tar`] }]),
  );
  const archive = join(folder, `image-${release}.tar`);
  execFileSync('tar', [
    '-cf',
    archive,
    '-C',
    place,
    name,
    'manifest.json',
    '-C',
    folder,
    `layer-${release}.tar`,
  ]);
  return archive;
}

test.for(['bookworm', 'trixie'])(
  '%s: the updates that apt would take from the security suite, and no other',
  { timeout: 600_000 },
  async (release) => {
    const archive = await writeImage(release);
    const options = { cwd: folder };
    const built = await type(['db', 'build', `lists-${release}`, '-o', `${release}.sqlite`], options);
    expect(built.exit, built.err).toBe(0);
    const { exit, out } = await type(
      ['vulns', `docker-archive:${archive}`, '--db', `${release}.sqlite`, '--format', 'json'],
      options,
    );
    const apt = readFileSync(join(folder, `upgradable-${release}`), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, name, suites, version] = /^([^/\s]+)\/(\S+) (\S+) /.exec(line) ?? [];
        return suites?.includes('security') ? [`${name} ${version}`] : [];
      });
    const { findings, updates } = JSON.parse(out) as {
      readonly findings: readonly unknown[];
      readonly updates: readonly {
        readonly name: string;
        readonly isSecurity: boolean;
        readonly offered: { readonly version: string };
      }[];
    };
    const own = updates
      .filter(({ isSecurity }) => isSecurity)
      .map(({ name, offered }) => `${name} ${offered.version}`);
    expect(apt.length).toBeGreaterThan(0);
    expect(own.toSorted()).toEqual(apt.toSorted());
    expect(findings).toEqual([]);
    expect(exit).toBe(1);
  },
);
