import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';
import {
  type RealRegistry,
  startDockerRegistry,
  startReferrersRegistry,
  startS3,
  startZot,
  tcfIn,
} from './support.ts';

/*
 * `tcf sbom --cache-to` and `--cache-from` with real registries, and with a real S3 server that checks
 * signatures.
 */

const keys = { id: 'interop', secret: 'a secret of nobody' };
const env = (host: string, secret = keys.secret) => ({
  AWS_ENDPOINT_URL: `http://${host}`,
  AWS_ACCESS_KEY_ID: keys.id,
  AWS_SECRET_ACCESS_KEY: secret,
});

const places: readonly (readonly [
  string,
  (bin: string, cwd: string) => Promise<RealRegistry>,
  string | undefined,
])[] = [
  ['docker-registry', startDockerRegistry, undefined],
  ['a registry with referrers', startReferrersRegistry, undefined],
  ['zot', startZot, undefined],
  ['versitygw', (bin, cwd) => startS3(bin, cwd, keys), 's3://team/ci/layers'],
];

describe.for(places)('%s', ([, start, bucket]) => {
  test('what one machine has read the next one takes, and a layer that is not there is read', async () => {
    using place = folder();
    const images = await startDockerRegistry('', place.path);
    using other = folder();
    const cache = await start(inject('parts'), other.path);
    try {
      const tcf = tcfIn(place.path);
      const where = bucket ?? `${cache.host}/ci/layers`;
      for (const [tag, deb] of [
        ['1', undefined],
        ['2', 'openssh-server'],
      ] as const) {
        await pushDemoImage({
          host: images.host,
          repository: 'dev',
          tag,
          ...(deb === undefined ? {} : { deb }),
        });
      }
      writeKeyPair(place.path, 'team');
      writeFileSync(
        join(place.path, 'policy.yaml'),
        `${keyPolicy(images.host, 'signed: { by: [team] }')}layerCache: { signers: [team] }\n`,
      );
      const sbom = async (tag: string, to: string, flags: readonly string[], secret?: string) => {
        const ran = await tcf(
          ['sbom', `${images.host}/dev:${tag}`, '-o', to, ...flags],
          env(cache.host, secret),
        );
        expect(ran.code, ran.text).toBe(0);
        return ran.text;
      };
      const from = ['--cache-from', where, '--policy', 'policy.yaml'];
      const to = ['--cache-to', where, '--key', 'team.key'];
      const same = (a: string, b: string) =>
        expect(readFileSync(join(place.path, a), 'utf8')).toBe(readFileSync(join(place.path, b), 'utf8'));
      await sbom('1', 'alone.json', []);
      await sbom('2', 'second.json', []);
      expect(await sbom('1', 'first.json', [...from, ...to])).not.toContain('warning');
      expect(await sbom('1', 'again.json', from)).not.toContain('warning');
      expect(await sbom('2', 'other.json', [...from, ...to])).not.toContain('warning');
      same('first.json', 'alone.json');
      same('again.json', 'alone.json');
      same('other.json', 'second.json');
      if (bucket !== undefined) {
        expect(await sbom('1', 'wrong.json', from, 'another secret')).toContain('SignatureDoesNotMatch');
        same('wrong.json', 'alone.json');
      }
    } finally {
      cache.stop();
      images.stop();
    }
  });
});
