import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/* A registry that changes its mind between requests. Slow only because there are a thousand of it. */

const place = folder();
let registry: TestRegistry;
let good: string;
const tags = ['good', 'unsigned', 'other'] as const;
const configs = new Set<string>();

beforeAll(async () => {
  registry = await startRegistry();
  const push = (tag: string, deb?: string) =>
    pushDemoImage({ host: registry.host, repository: 'dev', tag, ...(deb === undefined ? {} : { deb }) });
  good = await push('good');
  for (const id of imageIdsOn(registry)) {
    configs.add(id);
  }
  await push('unsigned', 'openssh-server');
  await push('other', 'telnetd');
  for (const who of ['team', 'mallory']) {
    await tcf('keygen', '--output-key-prefix', who);
  }
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  await tcf('sign', `${registry.host}/dev:good`, '--key', 'team.key', '--allow-http', '--no-sbom');
  // Signed as well, by somebody whom the policy does not know.
  await tcf('sign', `${registry.host}/dev:other`, '--key', 'mallory.key', '--allow-http', '--no-sbom');
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

/**
 * An engine that asks nobody and holds what was verified, so that all that counts is what it is told to
 * start.
 */
const tcf = (...args: readonly string[]) =>
  type(args, {
    cwd: place.path,
    env: { COSIGN_PASSWORD: 'x' },
    answer: ([verb = '']) => (verb === 'image' ? { stdout: [...configs][0] ?? '' } : {}),
  });

test('a tag that moves between any requests never starts another digest, in a thousand interleavings', async () => {
  let started = 0;
  const run = fc.asyncProperty(
    fc.array(fc.constantFrom(...tags), { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    async (turns, cached) => {
      let count = 0;
      registry.clearFaults();
      registry.fault(/^(?:GET|HEAD) /, {
        before: () => {
          const now = registry.manifests.get(`dev:${turns[count % turns.length]}`);
          if (now !== undefined) {
            registry.manifests.set('dev:latest', now);
          }
          count += 1;
        },
      });
      const ran = await tcf(
        'run',
        '--policy',
        'policy.yaml',
        '--allow-http',
        ...(cached ? [] : ['--no-cache']),
        `${registry.host}/dev:latest`,
      );
      const runs = ran.started.filter(([, verb]) => verb === 'run');
      for (const words of ran.started) {
        expect(words.filter((word) => word.includes('@sha256:')).every((word) => word.endsWith(good))).toBe(
          true,
        );
      }
      expect(runs.length).toBe(ran.exit === 0 ? 1 : 0);
      started += runs.length;
    },
  );
  await fc.assert(run, { numRuns: 1000, seed: 20261125 });
  // Neither always nor never: the good digest starts when the tag led to it.
  expect(started).toBeGreaterThan(100);
  expect(started).toBeLessThan(900);
});
