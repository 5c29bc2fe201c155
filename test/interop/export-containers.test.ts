import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { must, pushIndex, type Ran, type RealRegistry, run, startDockerRegistry, tcfIn } from './support.ts';

/* policy.json and registries.d as tcf exports them, read by skopeo and podman of Debian and by the newest library of both: what each lets through
   and what tcf does. */

const place = folder();
const tcf = tcfIn(place.path);
let registry: RealRegistry;

interface Case {
  readonly repository: string;
  /** Keys that sign the manifest with cosign 2. */
  readonly by?: readonly string[];
  /** What is done with the image after that. */
  readonly change?: (image: string, digest: Digest) => Promise<void>;
  /** Keys that sign an index around the image, which is asked for in its place. */
  readonly indexBy?: readonly string[];
  /** The repository that holds the very same image. Default: none does. */
  readonly same?: string;
  readonly allowed: boolean;
  /** tcf lets it through where the engines do not: the export asks for more, and says so. */
  readonly onlyByTcf?: true;
}

/** In this order: some take from those before them. */
const cases: Readonly<Record<string, Case>> = {
  'an image that is signed': { repository: 'one/signed', by: ['ada'], allowed: true },
  'an image that nobody signed': { repository: 'one/unsigned', allowed: false },
  'an image that somebody else signed': { repository: 'one/other', by: ['eve'], allowed: false },
  'an image that a stranger signed first': { repository: 'one/crowd', by: ['eve', 'ada'], allowed: true },
  'an image with the signature of another one': {
    repository: 'one/copied',
    change: async (_, digest) => {
      const other = references.get('an image that is signed') ?? '';
      await copyTag(`one/signed:${sigTag(other.slice(-71) as Digest)}`, `one/copied:${sigTag(digest)}`);
    },
    allowed: false,
  },
  'an image that both signed, as both have to': {
    repository: 'two/both',
    by: ['ada', 'bob'],
    allowed: true,
  },
  'an image that one signed where both have to': { repository: 'two/half', by: ['ada'], allowed: false },
  'an image whose signature names another repository': {
    repository: 'one/elsewhere',
    same: 'two/both',
    change: (_, digest) => copyTag(`two/both:${sigTag(digest)}`, `one/elsewhere:${sigTag(digest)}`),
    allowed: false,
    onlyByTcf: true,
  },
  'an image that tcf signed': {
    repository: 'one/bundle',
    change: (image) => must(tcf(['sign', image, '--key', 'ada.key', '--no-sbom'])),
    allowed: false,
    onlyByTcf: true,
  },
  'an image for several platforms whose manifest is signed': {
    repository: 'one/platform',
    by: ['ada'],
    indexBy: [],
    allowed: true,
  },
  'an image for several platforms whose index is signed': {
    repository: 'one/index',
    indexBy: ['ada'],
    allowed: false,
  },
  'an image in no scope': { repository: 'elsewhere/signed', by: ['ada'], allowed: false },
  'an image whose repository begins as a scope does': {
    repository: 'one-more/signed',
    by: ['ada'],
    allowed: false,
  },
};

const references = new Map<string, string>();

beforeAll(async () => {
  registry = await startDockerRegistry('', place.path);
  for (const name of ['ada', 'bob', 'eve']) {
    await must(tcf(['keygen', '--output-key-prefix', name]));
  }
  const signers = 'signers: { ada: { keyFile: ada.pub }, bob: { keyFile: bob.pub } }';
  const scope = (match: string, terms: string) =>
    `{ match: "${registry.host}/${match}", multiArch: platform, require: { signed: { by: [${terms} } } }`;
  const policy = (...scopes: readonly string[]) =>
    `version: 1\ntrust: { logs: { key: 0 } }\n${signers}\nscopes: [${scopes.join(', ')}]\n`;
  const scopes = [scope('one', 'ada]'), scope('two', 'ada, bob], threshold: 2')];
  await exportPolicy('old', policy(...scopes));
  await exportPolicy('new', policy(...scopes, scope('any', 'ada, bob]')));
  for (const [name, one] of Object.entries(cases)) {
    references.set(name, await prepare(one));
  }
  references.set('one key of two', await prepare({ repository: 'any/signed', by: ['bob'], allowed: true }));
  references.set('no key of two', await prepare({ repository: 'any/other', by: ['eve'], allowed: false }));
}, 300_000);
afterAll(() => {
  registry.stop();
  place[Symbol.dispose]();
});

async function exportPolicy(name: string, text: string): Promise<void> {
  writeFileSync(join(place.path, `${name}.yaml`), text);
  const files = join(place.path, name, '.config/containers');
  mkdirSync(join(place.path, name), { recursive: true });
  await must(
    run(place.path, process.execPath, [
      join(import.meta.dirname, '../../src/main.ts'),
      ...['policy', 'export', '--to', 'containers-policy', `${name}.yaml`, '--output', files],
    ]),
  );
}

async function prepare(one: Case): Promise<string> {
  const { by = [], change, indexBy, repository, same = repository } = one;
  const deb = same.replace('/', '-');
  const digest = await pushDemoImage({ host: registry.host, repository, tag: '1', deb });
  const image = `${registry.host}/${repository}@${digest}`;
  for (const name of by) {
    await must(sign(image, name));
  }
  await change?.(image, digest);
  if (indexBy === undefined) {
    return image;
  }
  const index = await pushIndex(registry.host, repository, digest);
  for (const name of indexBy) {
    await must(sign(index, name));
  }
  return index;
}

function sign(image: string, name: string): Promise<Ran> {
  const key = ['--key', `${name}.key`, '--tlog-upload=false', '--yes', '--allow-http-registry'];
  return run(place.path, inject('cosign2'), ['sign', ...key, image]);
}

const sigTag = (digest: Digest) => `${digest.replace(':', '-')}.sig`;

async function copyTag(from: string, to: string): Promise<void> {
  const plain = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const [source, target] = [from, to].map((one) => `docker://${registry.host}/${one}`);
  await must(run(place.path, 'skopeo', ['copy', ...plain, source ?? '', target ?? '']));
}

type Engine = (files: string, image: string) => Promise<Ran>;

const engines: Readonly<Record<string, Engine>> = {
  'skopeo of Debian': (files, image) => {
    const policy = ['--policy', join(files, 'policy.json'), '--registries.d', join(files, 'registries.d')];
    const target = `dir:${newFolder()}`;
    const copy = ['copy', '--remove-signatures', '--src-tls-verify=false', `docker://${image}`, target];
    return run(place.path, 'skopeo', [...policy, ...copy]);
  },
  'podman of Debian': (files, image) => {
    const store = ['--root', newFolder(), '--runroot', newFolder(), '--storage-driver', 'vfs'];
    const pull = ['pull', '--quiet', '--tls-verify=false', image];
    return run(place.path, 'podman', [...store, ...pull], { HOME: join(files, '../..') });
  },
  'the newest library': (files, image) => byLibrary('containers-copy', files, image),
  "CRI-O's library, at the pull and before the container": (files, image) =>
    byLibrary('crio-check', files, image),
};

/** Those of Debian 12 have sigstore switched off, and are too old for one key of several. */
const isOfDebian = (engine: string) => engine.endsWith('of Debian');

function byLibrary(program: string, files: string, image: string): Promise<Ran> {
  return run(place.path, join(inject('parts'), program), [
    ...[join(files, 'policy.json'), join(files, 'registries.d'), image, newFolder()],
  ]);
}

let folders = 0;
function newFolder(): string {
  folders += 1;
  const path = join(place.path, `folder-${folders}`);
  mkdirSync(path);
  return path;
}

const filesOf = (name: string) => join(place.path, name, '.config/containers');

describe.for(Object.entries(engines))('%s', ([name, engine]) => {
  test.for(Object.entries(cases))('%s', async ([what, { allowed }]) => {
    const { code, text } = await engine(filesOf('old'), references.get(what) ?? '');
    // Whatever would be asked of a signature is refused.
    const isOff = text.includes('Debian-local change: sigstore disabled');
    expect(isOff && !isOfDebian(name)).toBe(false);
    expect(code === 0, text).toBe(allowed && !isOff);
    if (code !== 0) {
      expect(text).toMatch(/signature|sigstore disabled|rejected by policy/i);
    }
  });

  test('one key of two is known to newer ones alone, and nothing is let through elsewhere', async () => {
    const knows = !isOfDebian(name);
    const good = await engine(filesOf('new'), references.get('one key of two') ?? '');
    expect(good.code === 0, good.text).toBe(knows);
    if (!knows) {
      expect(good.text).toContain('keyDatas');
    }
    const bad = await engine(filesOf('new'), references.get('no key of two') ?? '');
    expect(bad.code, bad.text).not.toBe(0);
  });
});

test('tcf lets through what the engines do, and beyond that what the notes of the export tell', async () => {
  for (const [what, { allowed, onlyByTcf = false }] of Object.entries(cases)) {
    const { code, text } = await tcf(['verify', references.get(what) ?? '', '--policy', 'old.yaml']);
    expect(code, `${what}: ${text}`).toBe(allowed || onlyByTcf ? 0 : 1);
  }
});
