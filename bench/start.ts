import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCountingProxy } from '../test/support/counting-proxy.ts';
import { startSigstore, testIdentity } from '../test/support/sigstore.ts';
import { must, scratchPath } from './processes.ts';

/*
 * What verification adds to a start: pairs of "podman run" and "tcf run" of the same image in turn, and of
 * podman with and without the hook. Needs root, podman, buildah, docker-registry and busybox; run it with
 * `npm run bench:start`. Each ratio is the median of those to the bare run of the same round, since machines
 * are noisy. Then the requests of tcf and cosign, and what they take over a line of 20 ms each way (a proxy of
 * ours on loopback); cosign is the one that test/interop builds.
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

/** As `seconds`, while this process stands between the program and the registry. */
async function secondsBeside(file: string, args: readonly string[]): Promise<number> {
  const start = process.hrtime.bigint();
  await promisify(execFile)(file, args, { cwd: home, env });
  return Number(process.hrtime.bigint() - start) / 1e9;
}

/** Milliseconds that a request is on its way, and again its answer. */
const line = 20;
const cosign = '/var/tmp/tcf-interop/bin/cosign';

/** tcf and cosign in turn over a slow line, and how often each of them asks. */
async function overALine(digest: string): Promise<readonly string[]> {
  await using proxy = await startCountingProxy(`127.0.0.1:${port}`, line);
  const far = `${proxy.host}/bench/start@${digest}`;
  writeFileSync(join(home, 'far.yaml'), policyFor(proxy.host));
  const checked = ['--key', 'team.pub', '--insecure-ignore-tlog=true', '--allow-http-registry'];
  const verify = ['verify', far, '--policy', 'far.yaml', '--allow-http', '--quiet'];
  const calls: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    'tcf verify, a key': [process.execPath, [tcf, ...verify]],
    ...(existsSync(cosign) ? { 'cosign verify, a key': [cosign, ['verify', far, ...checked]] as const } : {}),
  };
  const found: Record<string, { readonly times: number[]; requests: number }> = {};
  for (let round = 0; round < pairs; round += 1) {
    for (const [key, [file, args]] of Object.entries(calls)) {
      proxy.reset();
      const one = found[key] ?? { times: [], requests: 0 };
      found[key] = one;
      one.times.push(await secondsBeside(file, args));
      one.requests = proxy.counts.requests;
    }
  }
  const peer = found['cosign verify, a key']?.times ?? [];
  return Object.entries(found).map(([key, { requests, times }]) => {
    const ratios = times.map((time, at) => time / (peer[at] ?? Number.NaN));
    return `| ${key} | ${median(times).toFixed(3)} | ${median(ratios).toFixed(2)} | ${requests} |\n`;
  });
}

const policyFor = (host: string) =>
  `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${host}", require: { signed: { by: [team] } } }]\n`;

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
  writeFileSync(join(home, 'policy.yaml'), policyFor(`127.0.0.1:${port}`));
  call('sign', name, '--key', 'team.key', '--allow-http', '--no-sbom');
  await signKeyless();
  const own = ['--policy', 'policy.yaml', '--allow-http'];
  call('hook', 'install', 'podman', ...own, '--hooks-dir', 'hooks');
  const withKey = verified(name, own);
  const people = ['--policy', 'keyless.yaml', '--allow-http'];
  const withIdentity = verified(keyless, people);

  const cached = ['--cache', '--quiet'];
  const shell = ['/bin/sh', '-c', ':'];
  writeFileSync(join(home, 'empty.cjs'), '');
  const runs = {
    'node, nothing': () => seconds(process.execPath, ['empty.cjs']),
    'podman run': () => seconds('podman', ['run', '--rm', '--pull=never', withKey, ...shell]),
    'podman pull and run': () =>
      seconds('podman', ['pull', '--quiet', '--tls-verify=false', withKey]) +
      seconds('podman', ['run', '--rm', '--pull=never', withKey, ...shell]),
    'tcf verify --cache, a key': () => call('verify', withKey, ...own, ...cached),
    'tcf verify, a key': () => call('verify', withKey, ...own, '--quiet'),
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
  const nothing = times['node, nothing'] ?? [];
  process.stdout.write(
    `${pairs} rounds, Node ${process.version}, medians; the image is verified from the cache\n\n| what | seconds | of a bare podman run | of an empty Node |\n| --- | --- | --- | --- |\n`,
  );
  for (const [key, values] of Object.entries(times)) {
    const to = (base: readonly number[]) =>
      median(values.map((value, round) => value / (base[round] ?? Number.NaN))).toFixed(2);
    process.stdout.write(`| ${key} | ${median(values).toFixed(3)} | ${to(bare)} | ${to(nothing)} |\n`);
  }
  process.stdout.write(
    `\nOver a line of ${line} ms each way:\n\n| what | seconds | of cosign | requests |\n| --- | --- | --- | --- |\n`,
  );
  process.stdout.write((await overALine(withKey.slice(withKey.indexOf('@') + 1))).join(''));
} finally {
  registry.kill();
  spawnSync('podman', ['image', 'rm', '--force', name], { env });
}
