import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { partsOf } from './graph.ts';
import { must, scratch, startDockerRegistry, tcf } from './support.ts';

interface Property {
  readonly name: string;
  readonly value: string;
}

interface Component {
  readonly 'bom-ref': string;
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly properties?: readonly Property[];
  readonly evidence?: { readonly occurrences?: readonly { readonly location: string }[] };
}

interface Bom {
  serialNumber: string;
  metadata: { component: { name: string; purl?: string } };
  components: Component[];
}

const image = inject('image');
const folder = scratch();
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
const boms = new Map<string, string>();

const read = (source: string): Bom => JSON.parse(boms.get(source) ?? '') as Bom;
const property = (component: Component | undefined, name: string) =>
  component?.properties?.find((candidate) => candidate.name === name)?.value;

/** Runs a program inside the image, without tcf. */
const inside = (...command: string[]) => must('podman', ['run', '--rm', image, ...command]);
const lines = (text: string) => text.trim().split('\n').sort();

beforeAll(async () => {
  registry = await startDockerRegistry(folder.path);
  const remote = `${registry.host}/triton/dev:e2e`;
  const source = `containers-storage:${image}`;
  mkdirSync(join(folder.path, 'oci'));
  await must('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', source, `docker://${remote}`]);
  await must('skopeo', ['copy', '--quiet', source, `oci:${folder.path}/oci:e2e`]);
  await must('skopeo', ['copy', '--quiet', source, `oci-archive:${folder.path}/oci.tar:e2e`]);
  await must('skopeo', ['copy', '--quiet', source, `docker-archive:${folder.path}/docker.tar:tcf:e2e`]);
  for (const [name, spelled] of [
    ['containers-storage', source],
    ['docker', `docker://${remote}`],
    ['oci', `oci:${folder.path}/oci:e2e`],
    ['oci-archive', `oci-archive:${folder.path}/oci.tar:e2e`],
    ['docker-archive', `docker-archive:${folder.path}/docker.tar`],
  ] as const) {
    const ran = await tcf(['sbom', spelled, '--allow-http']);
    expect(ran.code, `${name}: ${ran.stderr}`).toBe(0);
    boms.set(name, ran.stdout);
  }
});

afterAll(async () => {
  await registry.stop();
  folder[Symbol.dispose]();
});

describe('the SBOM of a real Debian image with a real triton wheel', () => {
  const components = () => read('containers-storage').components;
  const ofType = (type: string) =>
    components().filter((component) => component.purl?.startsWith(`pkg:${type}/`));

  test('lists the debs that dpkg-query lists, no one more, no one less', async () => {
    const expected = lines(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the format is dpkg-query's
      await inside('dpkg-query', '-W', '-f', '${Package} ${Version} ${Architecture}\\n'),
    );
    const found = ofType('deb').map(
      (deb) => `${deb.name} ${deb.version} ${/[?&]arch=([^&]+)/.exec(deb.purl ?? '')?.[1]}`,
    );
    expect([...found].sort()).toEqual(expected);
  });

  test.for([
    ['the virtual environment', '/opt/triton/bin/python', ['-m', 'pip'], 'opt/triton/'],
    [
      'the one made without pip',
      '/opt/triton/bin/python',
      ['-m', 'pip', '--python', '/opt/other/bin/python'],
      'opt/other/',
    ],
    ['the system', '/opt/triton/bin/python', ['-m', 'pip', '--python', '/usr/bin/python3'], 'usr/'],
  ] as const)('lists the pip packages of %s as pip does', async ([, python, pip, prefix]) => {
    const listed = JSON.parse(await inside(python, ...pip, 'list', '--format', 'json')) as {
      name: string;
      version: string;
    }[];
    const found = ofType('pypi').filter((find) =>
      find.evidence?.occurrences?.[0]?.location.startsWith(prefix),
    );
    const spelled = (name: string, version = '') =>
      `${name.toLowerCase().replace(/[-_.]+/g, '-')} ${version}`;
    expect(found.map((find) => spelled(find.name, find.version)).sort()).toEqual(
      listed.map((entry) => spelled(entry.name, entry.version)).sort(),
    );
    expect(listed.length).toBeGreaterThan(0);
  });

  test('names the deb as the owner of what it brought', () => {
    const yaml = components().find((component) => component.purl?.startsWith('pkg:deb/debian/python3-yaml@'));
    expect(partsOf(components(), yaml).map(({ purl }) => purl)).toEqual(['pkg:pypi/pyyaml@6.0']);
  });

  test('names the LLVM in libtriton.so, observed and equal to the pin of triton 3.6.0', () => {
    const llvm = components().filter(
      (component) => component.name === 'llvm' && property(component, 'tcf:llvm:role') === 'core',
    );
    expect(llvm).toHaveLength(1);
    expect(llvm[0]).toMatchObject({
      version: '22.0.0git+f6ded0be',
      purl: 'pkg:github/llvm/llvm-project@f6ded0be897e2878612dd903f7e8bb85448269e5',
    });
    expect(property(llvm[0], 'tcf:llvm:pin')).toBe('match');
    expect(llvm[0]?.evidence?.occurrences?.map((occurrence) => occurrence.location)).toContain(
      'opt/triton/lib/python3.11/site-packages/triton/_C/libtriton.so',
    );
    const triton = components().find((component) => component.purl === 'pkg:pypi/triton@3.6.0');
    expect(partsOf(components(), triton)).toContainEqual(llvm[0]);
  });

  test('does not take the compilers that built the wheel for LLVM', () => {
    const text = boms.get('containers-storage') ?? '';
    for (const compiler of ['19.1.7', '20.1.8', 'GCC 8.5.0']) {
      expect(text).not.toContain(compiler);
    }
  });

  test.for([
    ['ptxas', '12.8.93'],
    ['ptxas-blackwell', '12.9.86'],
    ['nvdisasm', '12.8.55'],
    ['cuobjdump', '12.8.55'],
  ] as const)('reads the version of %s from the file', ([name, version]) => {
    expect(
      components()
        .filter((component) => component.name === name)
        .map((component) => component.version),
    ).toEqual([version]);
  });

  test('forgets what the last layer removed', () => {
    expect(components().filter((component) => ['nano', 'six'].includes(component.name))).toEqual([]);
  });
});

/**
 * A docker-archive and a registry know different names, so name and purl of the root differ, and the serial
 * number that follows from them. `skopeo copy` to docker-archive turns an OCI configuration into docker's,
 * which changes the config digest: that image has another name on every transport that keeps docker's form.
 */
test('the same image gives the same bytes over all transports that keep its configuration', () => {
  const body = (source: string) => {
    const bom = JSON.parse(boms.get(source) ?? '') as Record<string, unknown> & {
      metadata: { component: object };
      properties?: readonly Property[];
    };
    const {
      name: _name,
      purl: _purl,
      'bom-ref': _ref,
      ...component
    } = bom.metadata.component as Record<string, unknown>;
    // Only what is read out of a store says that no digest of a layer was made again.
    const properties = bom.properties?.filter((each) => each.name !== 'tcf:layer-digests') ?? [];
    return JSON.stringify({ ...bom, serialNumber: '', metadata: { ...bom.metadata, component }, properties });
  };
  for (const source of ['docker', 'oci', 'oci-archive']) {
    expect(body(source), source).toBe(body('containers-storage'));
  }
  expect(read('docker-archive').components).toEqual(read('oci').components);
});

test('time zone, language, folder and user change no byte', async () => {
  const again = await tcf(['sbom', `oci:${folder.path}/oci:e2e`], {
    cwd: '/',
    env: {
      TZ: 'Pacific/Chatham',
      LANG: 'tr_TR.UTF-8',
      LC_ALL: 'tr_TR.UTF-8',
      USER: 'somebody',
      HOME: folder.path,
    },
  });
  expect(again.stdout).toBe(boms.get('oci'));
});

test('takes little memory and leaves nothing on disk', async () => {
  const temporary = join(folder.path, 'tmp');
  mkdirSync(temporary);
  const out = join(folder.path, 'bom.json');
  await must(
    '/usr/bin/time',
    [
      '-v',
      '-o',
      join(folder.path, 'time'),
      process.execPath,
      'src/main.ts',
      'sbom',
      `oci:${folder.path}/oci:e2e`,
      '-o',
      out,
    ],
    {
      env: { TMPDIR: temporary },
    },
  );
  expect(readFileSync(out, 'utf8')).toBe(boms.get('oci'));
  const kilobytes = Number(
    /Maximum resident set size \(kbytes\): (\d+)/.exec(readFileSync(join(folder.path, 'time'), 'utf8'))?.[1],
  );
  expect(kilobytes).toBeLessThan(300 * 1024);
  expect(await must('find', [temporary, '-type', 'f'])).toBe('');
});
