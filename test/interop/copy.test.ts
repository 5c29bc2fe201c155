import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { type RealRegistry, run, startDockerRegistry, startOlareg, tcfIn } from './support.ts';

/* What three tools said about an image, copied by tcf between real registries of both kinds: each tool still finds its own. */

describe.for([
  ['docker-registry to olareg', startDockerRegistry, startOlareg],
  ['olareg to docker-registry', startOlareg, startDockerRegistry],
] as const)('from %s', ([, startSource, startTarget]) => {
  const [here, there] = [folder(), folder()];
  const place = here.path;
  const tcf = tcfIn(place);
  const cosign = (...args: string[]) => run(place, inject('cosign'), args);
  const cosign2 = (...args: string[]) => run(place, inject('cosign2'), args);
  const offline = ['--tlog-upload=false', '--yes', '--allow-http-registry'];
  let from: RealRegistry;
  let to: RealRegistry;
  let image: string;
  let copied: string;

  const must = async (ran: ReturnType<typeof run>) => {
    const { code, text } = await ran;
    expect(code, text).toBe(0);
  };

  beforeAll(async () => {
    from = await startSource(inject('parts'), here.path);
    to = await startTarget(inject('parts'), there.path);
    const digest = await pushDemoImage({ host: from.host, repository: 'triton/dev', tag: '1' });
    image = `${from.host}/triton/dev@${digest}`;
    copied = `${to.host}/mirror/dev@${digest}`;
    await must(tcf(['keygen', '--output-key-prefix', 'team']));
    await must(cosign('generate-key-pair', '--output-key-prefix', 'three'));
    await must(cosign2('generate-key-pair', '--output-key-prefix', 'two'));
    await must(tcf(['sign', image, '--key', 'team.key']));
    await must(cosign('sign', '--key', 'three.key', '--use-signing-config=false', ...offline, image));
    await must(cosign2('sign', '--key', 'two.key', ...offline, image));
    writeFileSync(join(place, 'predicate.json'), '{"reviewed":true}');
    await must(
      cosign2(
        'attest',
        '--key',
        'two.key',
        '--predicate',
        'predicate.json',
        '--type',
        'https://example.test/review',
        ...offline,
        image,
      ),
    );
    writeFileSync(
      join(place, 'policy.yaml'),
      `version: 1\ntrust: { logs: { key: 0 } }\nsigners:\n${['team', 'three', 'two'].map((name) => `  ${name}: { keyFile: ${name}.pub }\n`).join('')}scopes: [{ match: "${to.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }]\n`,
    );
  });
  afterAll(() => {
    from.stop();
    to.stop();
    for (const one of [here, there]) one[Symbol.dispose]();
  });

  const asked = ['--insecure-ignore-tlog=true', '--allow-http-registry'];

  test('skopeo takes the image and leaves the signatures', async () => {
    const args = ['copy', '--src-tls-verify=false', '--dest-tls-verify=false'];
    await must(run(place, 'skopeo', [...args, `docker://${image}`, `docker://${to.host}/mirror/dev:1`]));
    expect(await tcf(['verify', copied, '--policy', 'policy.yaml'])).toMatchObject({ code: 1 });
    expect((await cosign('verify', '--key', 'team.pub', ...asked, copied)).code).not.toBe(0);
    expect((await cosign2('verify', '--key', 'two.pub', ...asked, copied)).code).not.toBe(0);
  });

  test('tcf takes all of them, and each tool verifies what it verified before', async () => {
    await must(tcf(['copy', image, `${to.host}/mirror/dev:1`]));
    await must(tcf(['verify', copied, '--policy', 'policy.yaml']));
    await must(cosign('verify', '--key', 'team.pub', ...asked, copied));
    await must(cosign('verify', '--key', 'three.pub', ...asked, copied));
    await must(cosign('verify-attestation', '--type', 'cyclonedx', '--key', 'team.pub', ...asked, copied));
    await must(cosign2('verify', '--key', 'two.pub', ...asked, copied));
    const review = ['--type', 'https://example.test/review', '--key', 'two.pub'];
    await must(cosign2('verify-attestation', ...review, ...asked, copied));
    expect((await cosign2('verify', '--key', 'team.pub', ...asked, copied)).code).not.toBe(0);
  });

  test('through a folder too', async () => {
    await must(tcf(['copy', copied, 'oci:stick:1']));
    await must(tcf(['copy', 'oci:stick:1', `${from.host}/back/dev:1`]));
    const back = copied.replace(`${to.host}/mirror`, `${from.host}/back`);
    await must(cosign('verify', '--key', 'team.pub', ...asked, back));
    await must(cosign2('verify', '--key', 'two.pub', ...asked, back));
  });
});
