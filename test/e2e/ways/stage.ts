import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InstalledTcf, installTcf } from '../engines.ts';
import { must, type Ran, run, scratch, startDockerRegistry } from '../support.ts';

/** How a way ended: nothing of it ran, it ran and is in the printed list of gaps, or nobody could try it. */
export type Outcome = 'refused' | `gap: ${string}` | `not tried here: ${string}`;

/** One way to start something that nobody verified. */
export interface Way {
  readonly name: string;
  /** The code of a gap; without it, the way has to be refused. */
  readonly gap?: string;
  readonly go: () => Promise<Ran>;
}

export interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly registry: string;
  readonly tcf: InstalledTcf;
  readonly env: Readonly<Record<string, string>>;
  /** `registry/repository@digest` of the signed and of the unsigned image. */
  readonly good: string;
  readonly evil: string;
  /** Options that every verb takes here. */
  readonly policy: readonly string[];
  here(...args: readonly string[]): Promise<Ran>;
  podman(...args: readonly string[]): Promise<Ran>;
  /** Whether something unverified ran since the last time. */
  hasRun(): boolean;
}

/** The deed of everything unverified. */
export const deed = 'echo >/out/started';

/** A shell with a marker in it; the unsigned image does its deed by itself. */
const recipe = `set -e
c=$(buildah from scratch); m=$(buildah mount $c)
mkdir -p $m/bin $m/out $m/mnt; cp /bin/busybox $m/bin/sh; cp /bin/busybox $m/bin/sleep; echo $1 >$m/content
buildah umount $c >/dev/null
[ $1 = evil ] && buildah config --entrypoint '["/bin/sh","-c","${deed}"]' $c
buildah commit --quiet --rm $c localhost/tcf-way-$1 >/dev/null
podman push --quiet --tls-verify=false localhost/tcf-way-$1 $2/dev:$1`;

async function imagesHere(): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const lines = await must('podman', ['images', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}']);
  return lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([id = '', name = '']) => ({ id, name }));
}

/** A registry, a signed and an unsigned image, a policy, and tcf as an administrator installs it. */
export async function openStage(name: string): Promise<Stage> {
  const before = new Set((await imagesHere()).map(({ id }) => id));
  const place = scratch();
  const folder = place.path;
  const registry = await startDockerRegistry(folder);
  const tcf = installTcf(`tcf-e2e-${name}`);
  const env = { HOME: folder };
  const here = (...args: readonly string[]) => tcf.run(args, { cwd: folder, env });
  const out = join(folder, 'out');
  mkdirSync(out);
  await here('keygen', '--output-key-prefix', 'team');
  writeFileSync(
    join(folder, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  for (const image of ['good', 'evil']) {
    await must('bash', ['-c', recipe, 'bash', image, registry.host]);
  }
  const signed = await here(
    'sign',
    `${registry.host}/dev:good`,
    '--key',
    'team.key',
    '--allow-http',
    '--no-sbom',
  );
  if (signed.code !== 0) {
    throw new Error(signed.stderr);
  }
  const pinned = async (tag: string) =>
    `${registry.host}/dev@${(await must('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${registry.host}/dev:${tag}`])).trim()}`;
  const podman = (...args: readonly string[]) => run('podman', args, { env });
  return {
    folder,
    registry: registry.host,
    tcf,
    env,
    good: await pinned('good'),
    evil: await pinned('evil'),
    policy: ['--policy', join(folder, 'policy.yaml'), '--allow-http'],
    here,
    podman,
    hasRun: () => {
      const marker = join(out, 'started');
      const found = existsSync(marker);
      rmSync(marker, { force: true });
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      await registry.stop();
      // An image on which another one was built goes in the second round.
      for (const _ of [1, 2]) {
        const made = (await imagesHere()).filter(
          ({ id, name }) =>
            name.startsWith(registry.host) ||
            name.includes('/tcf-way-') ||
            // What a build or a commit left without a name.
            (name.startsWith('<none>') && !before.has(id)),
        );
        if (made.length > 0) {
          await run('podman', ['image', 'rm', '--force', ...new Set(made.map(({ id }) => id))]);
        }
      }
      tcf.remove();
      place[Symbol.dispose]();
    },
  };
}
