import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSigstore, testIdentity } from '../test/support/sigstore.ts';
import { must, scratchPath } from './processes.ts';

/*
 * What verification adds to a start: pairs of "podman run" and "tcf run" of the same image in turn, and of
 * podman with and without the hook. Needs root, podman, buildah, docker-registry and busybox; run it with
 * `npm run bench:start`. Each ratio is the median of those to the bare run of the same round, since machines
 * are noisy.
 */

const pairs = Number(process.argv[2] ?? 15);
const root = join(import.meta.dirname, '..');
const home = scratchPath('home');
const tcf = join(root, 'dist/tcf.js');
mkdirSync(home);
const env = {
  ...process.env,
  HOME: home,
  COSIGN_PASSWORD: 'bench',
  CONTAINERS_CONF: scratchPath('containers.conf'),
};

function seconds(file: string, args: readonly string[]): number {
  const start = process.hrtime.bigint();
  const ran = spawnSync(file, args, { cwd: home, env, encoding: 'utf8' });
  if (ran.status !== 0) {
    throw new Error(`${file} ${args.join(' ')}: ${ran.stderr}`);
  }
  return Number(process.hrtime.bigint() - start) / 1e9;
}
const call = (...args: readonly string[]) => seconds(process.execPath, [tcf, ...args]);
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The name by digest of an image that the policy allows. */
function verified(image: string, flags: readonly string[]): string {
  const args = [tcf, 'verify', image, ...flags, '--quiet', '--print-digest'];
  return spawnSync(process.execPath, args, { cwd: home, env, encoding: 'utf8' }).stdout.trim();
}

/**
 * Signature and SBOM of a person at a private Sigstore, as most people's will be. The services are gone when
 * they are verified.
 */
async function signKeyless(): Promise<void> {
  await using sigstore = await startSigstore();
  writeFileSync(join(home, 'root.json'), sigstore.trustedRoot);
  writeFileSync(join(home, 'config.json'), sigstore.signingConfig(1));
  writeFileSync(
    join(home, 'keyless.yaml'),
    `version: 1\ntrust: { root: root.json }\nsigners: { ann: { issuer: "${testIdentity.issuer}", identity: "${testIdentity.identity}" } }\nscopes: [{ match: "127.0.0.1:${port}", require: { signed: { by: [ann] }, sbom: { by: [ann] } } }]\n`,
  );
  const services = ['--signing-config', 'config.json', '--trusted-root', 'root.json'];
  await promisify(execFile)(process.execPath, [tcf, 'sign', keyless, '--allow-http', ...services], {
    cwd: home,
    env: { ...env, SIGSTORE_ID_TOKEN: sigstore.token() },
  });
}

const port = 5056;
const name = `127.0.0.1:${port}/bench/start:1`;
const keyless = `127.0.0.1:${port}/bench/keyless:1`;
writeFileSync(
  join(home, 'registry.yml'),
  `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${home}/registry}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
);
const registry = spawn('docker-registry', ['serve', join(home, 'registry.yml')], { stdio: 'ignore' });
try {
  must('bash', [
    '-c',
    `for i in $(seq 100); do curl -sf http://127.0.0.1:${port}/v2/ >/dev/null && exit; sleep 0.1; done; exit 1`,
  ]);
  must('bash', [
    '-c',
    `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin; cp /bin/busybox $m/bin/sh; buildah umount $c >/dev/null; buildah commit --quiet --rm $c ${name} >/dev/null; podman push --quiet --tls-verify=false ${name}; podman push --quiet --tls-verify=false ${name} ${keyless}; podman image rm --force ${name} >/dev/null`,
  ]);
  call('keygen', '--output-key-prefix', 'team');
  writeFileSync(
    join(home, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "127.0.0.1:${port}", require: { signed: { by: [team] } } }]\n`,
  );
  call('sign', name, '--key', 'team.key', '--allow-http', '--no-sbom');
  await signKeyless();
  const own = ['--policy', 'policy.yaml', '--allow-http'];
  call('hook', 'install', 'podman', ...own, '--hooks-dir', 'hooks');
  const withKey = verified(name, own);
  const people = ['--policy', 'keyless.yaml', '--allow-http'];
  const withIdentity = verified(keyless, people);

  const cached = ['--cache', '--quiet'];
  const shell = ['/bin/sh', '-c', ':'];
  const runs = {
    'podman run': () => seconds('podman', ['run', '--rm', '--pull=never', withKey, ...shell]),
    'podman pull and run': () =>
      seconds('podman', ['pull', '--quiet', '--tls-verify=false', withKey]) +
      seconds('podman', ['run', '--rm', '--pull=never', withKey, ...shell]),
    'tcf verify --cache, a key': () => call('verify', withKey, ...own, ...cached),
    'tcf verify --cache, keyless with SBOM': () => call('verify', withIdentity, ...people, ...cached),
    'tcf verify --cache of a tag, keyless with SBOM': () => call('verify', keyless, ...people, ...cached),
    'tcf run': () => call('run', ...own, '--rm', withKey, ...shell),
    'podman run with the hook': () =>
      seconds('podman', ['--hooks-dir', 'hooks', 'run', '--rm', '--pull=never', withKey, ...shell]),
  };
  call('run', ...own, '--rm', withKey, ...shell);
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(runs).map((key) => [key, []]));
  for (let pair = 0; pair < pairs; pair += 1) {
    for (const [key, once] of Object.entries(runs)) {
      times[key]?.push(once());
    }
  }

  const bare = times['podman run'] ?? [];
  process.stdout.write(
    `${pairs} rounds, Node ${process.version}, medians; the image is verified from the cache\n\n| what | seconds | of a bare podman run |\n| --- | --- | --- |\n`,
  );
  for (const [key, values] of Object.entries(times)) {
    const ratios = values.map((value, round) => value / (bare[round] ?? Number.NaN));
    process.stdout.write(`| ${key} | ${median(values).toFixed(3)} | ${median(ratios).toFixed(2)} |\n`);
  }
} finally {
  registry.kill();
  spawnSync('podman', ['image', 'rm', '--force', name], { env });
}
