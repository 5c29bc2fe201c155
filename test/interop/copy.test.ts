import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import {
  must,
  type RealRegistry,
  run,
  startDockerRegistry,
  startReferrersRegistry,
  tcfIn,
} from './support.ts';

/*
 * What three tools said about an image, copied by tcf between real registries of both kinds: each tool still
 * finds its own.
 */

describe.for([
  ['docker-registry to one with the referrers API', startDockerRegistry, startReferrersRegistry],
  ['one with the referrers API to docker-registry', startReferrersRegistry, startDockerRegistry],
] as const)('from %s', ([, startSource, startTarget]) => {
  const [here, there] = [folder(), folder()];
  const place = here.path;
  const tcf = tcfIn(place);
  const cosign = (...args: string[]) => run(place, inject('cosign'), args);
  const cosign2 = (...args: string[]) => run(place, inject('cosign2'), args);
  const offline = ['--tlog-upload=false', '--yes', '--allow-http-registry'];
  let from: RealRegistry;
  let to: RealRegistry;
  /** Signed by tcf and cosign 3, and by cosign 2, which takes no tags where it finds bundles. */
  const images = { new: '', old: '' };
  const at = (host: string, repository: string, image: string) =>
    `${host}/${repository}@${image.slice(image.indexOf('@') + 1)}`;

  beforeAll(async () => {
    from = await startSource(inject('parts'), here.path);
    to = await startTarget(inject('parts'), there.path);
    for (const name of ['new', 'old'] as const) {
      const digest = await pushDemoImage({
        host: from.host,
        repository: `triton/${name}`,
        tag: '1',
        deb: name,
      });
      images[name] = `${from.host}/triton/${name}@${digest}`;
    }
    await must(tcf(['keygen', '--output-key-prefix', 'team']));
    await must(cosign('generate-key-pair', '--output-key-prefix', 'three'));
    await must(cosign2('generate-key-pair', '--output-key-prefix', 'two'));
    await must(tcf(['sign', images.new, '--key', 'team.key']));
    await must(cosign('sign', '--key', 'three.key', '--use-signing-config=false', ...offline, images.new));
    await must(cosign2('sign', '--key', 'two.key', ...offline, images.old));
    writeFileSync(join(place, 'predicate.json'), '{"reviewed":true}');
    const predicate = ['--predicate', 'predicate.json', '--type', 'https://example.test/review'];
    await must(cosign2('attest', '--key', 'two.key', ...predicate, ...offline, images.old));
    const scope = (match: string, rules: string) => `{ match: "${match}", require: { ${rules} } }`;
    writeFileSync(
      join(place, 'policy.yaml'),
      `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub }, two: { keyFile: two.pub } }\nscopes: [${scope(`${to.host}/mirror/new`, 'signed: { by: [team] }, sbom: { by: [team] }')}, ${scope(`${to.host}/mirror/old`, 'signed: { by: [two] }')}]\n`,
    );
  });
  afterAll(() => {
    from.stop();
    to.stop();
    for (const one of [here, there]) {
      one[Symbol.dispose]();
    }
  });

  const asked = ['--insecure-ignore-tlog=true', '--allow-http-registry'];

  const verify = (name: 'new' | 'old') =>
    tcf(['verify', at(to.host, `mirror/${name}`, images[name]), '--policy', 'policy.yaml']);
  const theirs = async (host: string, folder: string) => {
    const image = at(host, `${folder}/new`, images.new);
    const old = at(host, `${folder}/old`, images.old);
    const review = ['--type', 'https://example.test/review', '--key', 'two.pub'];
    return [
      await cosign('verify', '--key', 'team.pub', ...asked, image),
      await cosign('verify', '--key', 'three.pub', ...asked, image),
      await cosign('verify-attestation', '--type', 'cyclonedx', '--key', 'team.pub', ...asked, image),
      await cosign2('verify', '--key', 'two.pub', ...asked, old),
      await cosign2('verify-attestation', ...review, ...asked, old),
    ];
  };

  test('skopeo takes the images and leaves the signatures', async () => {
    const args = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
    for (const name of ['new', 'old'] as const) {
      const target = `docker://${to.host}/mirror/${name}:1`;
      await must(run(place, 'skopeo', [...args, `docker://${images[name]}`, target]));
      expect(await verify(name)).toMatchObject({ code: 1 });
    }
    for (const { code, text } of await theirs(to.host, 'mirror')) {
      expect(code, text).not.toBe(0);
    }
  });

  test('tcf takes all of them, and each tool verifies what it verified before', async () => {
    for (const name of ['new', 'old'] as const) {
      await must(tcf(['copy', images[name], `${to.host}/mirror/${name}:1`]));
      await must(verify(name));
    }
    for (const { code, text } of await theirs(to.host, 'mirror')) {
      expect(code, text).toBe(0);
    }
    const old = at(to.host, 'mirror/old', images.old);
    expect((await cosign2('verify', '--key', 'team.pub', ...asked, old)).code).not.toBe(0);
  });

  test('through a folder too', async () => {
    for (const name of ['new', 'old'] as const) {
      await must(tcf(['copy', `${to.host}/mirror/${name}:1`, `oci:stick:${name}`]));
      await must(tcf(['copy', `oci:stick:${name}`, `${from.host}/back/${name}:1`]));
    }
    for (const { code, text } of await theirs(from.host, 'back')) {
      expect(code, text).toBe(0);
    }
  });
});
