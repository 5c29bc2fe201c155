import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { partsOf } from './graph.ts';
import { must, run, tcf } from './support.ts';

/* Two virtual environments, one made by pip and one by uv, as pip and uv themselves describe them. */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly evidence?: { readonly occurrences?: readonly { readonly location: string }[] };
}

interface Truth {
  readonly packages: readonly string[];
  readonly edges: readonly string[];
}

const recipe = join(import.meta.dirname, 'build-python-image.sh');
const truth = readFileSync(join(import.meta.dirname, 'python-truth.py'), 'utf8');
const sum = createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12);
const image = `localhost/tcf-e2e-python:${sum}`;
let bom: {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
};

const inside = (...command: string[]) => must('podman', ['run', '--rm', image, ...command]);
const normal = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-');
const placeOf = (component: Component) => component.evidence?.occurrences?.[0]?.location ?? '';

beforeAll(async () => {
  if ((await run('podman', ['image', 'exists', image])).code !== 0) {
    await must('bash', [recipe, inject('work'), image, `${inject('image')}-base`]);
  }
  const ran = await tcf(['sbom', `containers-storage:${image}`]);
  expect(ran.code, ran.stderr).toBe(0);
  bom = JSON.parse(ran.stdout) as typeof bom;
});

/**
 * Distributions of one environment: not what lies vendored in another, which has no metadata of its own place
 * there.
 */
function environment(prefix: string): readonly Component[] {
  return bom.components.filter(
    (component) =>
      component.purl?.startsWith('pkg:pypi/') &&
      new RegExp(`^${prefix}lib/python3\\.11/site-packages/[^/]+/METADATA$`).test(placeOf(component)),
  );
}

describe.for([
  ['made by pip', 'opt/pip/', ['/opt/pip/bin/python', '-m', 'pip', 'list', '--format', 'json']],
  [
    'made by uv',
    'opt/uv/',
    ['/opt/tools/bin/uv', 'pip', 'list', '--python', '/opt/uv/bin/python', '--format', 'json'],
  ],
  ['that holds uv', 'opt/tools/', ['/opt/tools/bin/python', '-m', 'pip', 'list', '--format', 'json']],
] as const)('the environment %s', ([, prefix, list]) => {
  const said = async (): Promise<Truth> =>
    JSON.parse(await inside('/opt/pip/bin/python', '-c', truth, `/${prefix}bin/python`)) as Truth;

  test('has the packages that its tool lists, no one more, no one less', async () => {
    const listed = JSON.parse(await inside(...list)) as readonly { name: string; version: string }[];
    const expected = listed.map(({ name, version }) => `${normal(name)} ${version}`).sort();
    const found = environment(prefix).map(({ name, version }) => `${normal(name)} ${version}`);
    expect([...found].sort()).toEqual(expected);
    expect(expected).toEqual((await said()).packages);
    expect(expected.length).toBeGreaterThan(2);
  });

  test('has the edges of the requirement graph of pip inspect, no one more, no one less', async () => {
    const names = new Map(environment(prefix).map((each) => [each['bom-ref'], normal(each.name)]));
    const found = bom.dependencies.flatMap(({ ref, dependsOn }) =>
      dependsOn.flatMap((target) =>
        names.has(ref) && names.has(target) ? `${names.get(ref)} -> ${names.get(target)}` : [],
      ),
    );
    expect([...found].sort()).toEqual((await said()).edges);
  });
});

test('edges by extras and markers are among them, and none leaves its environment', () => {
  const edge = (prefix: string, from: string, to: string) => {
    const ref = environment(prefix).find((each) => normal(each.name) === from)?.['bom-ref'];
    const targets = bom.dependencies.find((entry) => entry.ref === ref)?.dependsOn ?? [];
    return targets.some((target) => target.startsWith(`pkg:pypi/${to}@`) && target.includes(`#${prefix}`));
  };
  expect(edge('opt/uv/', 'urllib3', 'pysocks')).toBe(true);
  expect(edge('opt/pip/', 'ruamel-yaml', 'ruamel.yaml.clib')).toBe(true);
  expect(edge('opt/pip/', 'jinja2', 'markupsafe')).toBe(true);
  expect(edge('opt/uv/', 'jinja2', 'markupsafe')).toBe(true);
  for (const { ref, dependsOn } of bom.dependencies) {
    const own = /#(opt\/(?:pip|uv|tools)\/)/.exec(ref)?.[1];
    if (own !== undefined && ref.startsWith('pkg:pypi/')) {
      expect(dependsOn.filter((target) => /#opt\//.test(target) && !target.includes(`#${own}`))).toEqual([]);
    }
  }
});

test("uv's cache, from which the environment is linked, is nobody's installation", () => {
  const cached = bom.components.filter((each) => placeOf(each).startsWith('root/.cache/'));
  expect(cached.map(({ name }) => name)).toEqual([]);
  const triton = bom.components.filter((each) => each.purl === 'pkg:pypi/triton@3.6.0');
  expect(triton.map(placeOf)).toEqual([
    'opt/uv/lib/python3.11/site-packages/triton-3.6.0.dist-info/METADATA',
  ]);
  const parts = partsOf(bom.components, triton[0]).map(({ name, version }) => `${name} ${version}`);
  // The smallest of them is no ELF file and has two names.
  expect(parts).toContain('rocm-device-libs-asanrtl 6.2.3');
  expect(parts).toContain('llvm 22.0.0git+f6ded0be');
});
