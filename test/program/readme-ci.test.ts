import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry } from '../support/registry.ts';

/* The steps of a job that README.md shows, pasted as they are and run by a shell with the real program. */

const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

interface Step {
  readonly name: string;
  readonly run: string;
  readonly env?: Readonly<Record<string, string>>;
}

const steps: readonly Step[] = parse(/```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? '');

test('the steps of the README sign an image and let it through', async () => {
  expect(steps.map(({ name }) => name)).toEqual(['Sign', 'Gate']);
  using place = folder();
  const registry = await startRegistry();
  const digest = await pushDemoImage({ host: registry.host, repository: 'triton-dev', tag: '1' });
  const write = (file: string, text: string) => writeFileSync(join(place.path, file), text);
  const bin = join(place.path, 'bin');
  for (const made of ['bin', 'home']) {
    mkdirSync(join(place.path, made));
  }
  // Plain HTTP is for this registry, and is said where users say it of theirs.
  write('registries.conf', `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
  write('bin/tcf', `#!/bin/sh\nexec ${process.execPath} ${join(root, 'src/main.ts')} "$@"\n`);
  chmodSync(join(bin, 'tcf'), 0o755);
  const host = testHost({ cwd: place.path, env: { COSIGN_PASSWORD: 'demo' } });
  await main(['keygen', '--output-key-prefix', 'team'], host);
  write(
    'dev.yaml',
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] }, llvm: { is: pinned } } }]\n`,
  );
  const secrets: Readonly<Record<string, string>> = {
    TCF_KEY: readFileSync(join(place.path, 'team.key'), 'utf8'),
    COSIGN_PASSWORD: 'demo',
  };
  const job = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: join(place.path, 'home'),
    CONTAINERS_REGISTRIES_CONF: join(place.path, 'registries.conf'),
    IMAGE: `${registry.host}/triton-dev@${digest}`,
    GITHUB_STEP_SUMMARY: join(place.path, 'summary.md'),
  };
  const run = (step: Step) => {
    const given = Object.entries(step.env ?? {}).map(([name, value]) => [
      name,
      value.replace(/\$\{\{ secrets\.(\w+) \}\}/g, (_, secret: string) => secrets[secret] ?? ''),
    ]);
    const env = { ...job, ...Object.fromEntries(given) };
    return promisify(execFile)('bash', ['-e', '-o', 'pipefail', '-c', step.run], { cwd: place.path, env });
  };
  const [sign, gate] = steps as [Step, Step];
  await expect(run(gate)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('denied') });
  expect((await run(sign)).stdout).toBe(`${job.IMAGE}\n`);
  expect((await run(gate)).stderr).toContain(`${job.IMAGE}: allowed`);
  expect(readFileSync(job.GITHUB_STEP_SUMMARY, 'utf8')).toContain('✓ allowed');
  expect(JSON.parse(readFileSync(join(place.path, 'tcf.sarif'), 'utf8'))).toMatchObject({ version: '2.1.0' });
  await registry.close();
});
