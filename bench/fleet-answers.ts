import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { pushDemoImage } from '../test/support/demo-image.ts';
import { startRegistry } from '../test/support/registry.ts';
import { scratchPath } from './processes.ts';

/*
 * What `tcf vulns --from` costs for one image, measured on some; and from that, as a simulation, how long an indexed Job
 * takes for 100,000. Usage: npm run build, then node bench/fleet-answers.ts [IMAGES] [DATABASE].
 */

const images = Number(process.argv[2] ?? 100);
const program = join(import.meta.dirname, '../dist/tcf.js');
const home = scratchPath('fleet');
mkdirSync(home);
const env = { ...process.env, HOME: home, COSIGN_PASSWORD: 'bench' };
const call = promisify(execFile);
const tcf = (...args: readonly string[]) =>
  call(process.execPath, [program, ...args], { cwd: home, env, maxBuffer: 1 << 28 });

await using registry = await startRegistry();
await tcf('keygen');
writeFileSync(
  join(home, 'policy.json'),
  JSON.stringify({
    version: 1,
    trust: { logs: { key: 0 } },
    signers: { team: { keyFile: 'cosign.pub' } },
    scopes: [{ match: registry.host, require: { signed: { by: ['team'] }, sbom: { by: ['team'] } } }],
  }),
);
const database = join(home, 'db.sqlite');
if (process.argv[3] === undefined) {
  mkdirSync(join(home, 'in'));
  writeFileSync(
    join(home, 'in/a.json'),
    JSON.stringify({
      id: 'GHSA-1',
      modified: '2026-01-01T00:00:00Z',
      affected: [{ package: { ecosystem: 'PyPI', name: 'triton' }, versions: ['3.6.0'] }],
    }),
  );
  await tcf('db', 'build', 'in', '-o', database);
} else {
  cpSync(resolve(process.argv[3]), database);
}
for (let at = 0; at < images; at += 1) {
  const commit = at.toString(16).padStart(40, '0');
  await pushDemoImage({ host: registry.host, repository: 'one/dev', tag: `t${at}`, llvm: commit });
  await tcf('sign', `${registry.host}/one/dev:t${at}`, '--key', 'cosign.key', '--allow-http');
}
await pushDemoImage({ host: registry.host, repository: 'none/dev', tag: 't' });
await tcf('sign', `${registry.host}/none/dev:t`, '--key', 'cosign.key', '--allow-http');

/** Requests to the registry, and CPU seconds of the program, for all images of a repository. */
async function ask(repository: string): Promise<{ readonly requests: number; readonly cpu: number }> {
  const before = registry.requests.length;
  const argv = [
    ...['vulns', '--from', `${registry.host}/${repository}`, '--policy', 'policy.json'],
    ...['--db', database, '--allow-http', '--format', 'json', '-o', '/dev/null'],
  ];
  const timed = [
    '-c',
    'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1 || true',
    'bench',
    process.execPath,
    program,
  ];
  const { stderr } = await call('bash', [...timed, ...argv], { cwd: home, env });
  const [user = 0, system = 0] = stderr.trim().split(' ').map(Number);
  return { requests: registry.requests.length - before, cpu: user + system };
}

const lone = await ask('none/dev');
const all = await ask('one/dev');
const requests = (all.requests - lone.requests) / (images - 1);
const cpu = (all.cpu - lone.cpu) / (images - 1);

interface Fleet {
  readonly images: number;
  readonly perRepository: number;
  readonly workers: number;
  /** Seconds for one request, as a registry some hops away answers. */
  readonly latency: number;
  /** Requests in a second that the registry allows all workers together; above it they wait. */
  readonly rate: number;
  /** Of a worker, for each repository. */
  readonly killed: number;
}

/** Seconds until the last worker is done. A killed one begins its repository again. */
function simulate({ images: count, killed, latency, perRepository, rate, workers }: Fleet): number {
  const width = 8;
  const ends = new Float64Array(workers);
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const waiting = Math.max(latency / width, workers / rate);
  const once = lone.cpu + perRepository * Math.max(cpu, requests * waiting);
  for (let at = 0; at * perRepository < count; at += 1) {
    const worker = at % workers;
    const lost = random() < killed ? random() * once + 10 : 0;
    ends[worker] = (ends[worker] ?? 0) + lost + once;
  }
  return Math.max(...ends);
}

process.stdout.write(
  `${images} images: ${requests.toFixed(1)} requests and ${(cpu * 1000).toFixed(1)} ms of CPU for one more image, ${lone.cpu.toFixed(2)} s for a repository with one\n`,
);
process.stdout.write(
  '| workers | requests/s allowed | killed | minutes for 100,000 images |\n| --- | --- | --- | --- |\n',
);
for (const workers of [1, 8, 32]) {
  for (const rate of [200, 2000]) {
    for (const killed of [0, 0.05]) {
      const seconds = simulate({ images: 100_000, perRepository: 50, workers, latency: 0.03, rate, killed });
      process.stdout.write(`| ${workers} | ${rate} | ${killed * 100} % | ${(seconds / 60).toFixed(0)} |\n`);
    }
  }
}
