import manifest from '../package.json' with { type: 'json' };
import lock from '../package-lock.json' with { type: 'json' };
import { toPurl } from '../src/bom/purl.ts';
import type { BundledPackage } from './packages.ts';
import type { ExecutablePlatform } from './platforms.ts';

/**
 * The SBOM of a release, CycloneDX 1.6: the packages whose code is in it, and the Node of each executable,
 * with the hashes of the lock file. tcf itself reads images, where such a program is one file; this is
 * written from what the bundler took. Neither time nor serial number, so that the same commit gives the same
 * bytes.
 */
export function formatReleaseSbom(
  packages: readonly BundledPackage[],
  nodes: readonly ExecutablePlatform['nodePackage'][],
): string {
  const components = [...packages.map(toComponent), ...nodes.map(toNodeComponent)];
  const product = `pkg:npm/%40triton-container-first/tcf@${manifest.version}`;
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      component: {
        type: 'application',
        'bom-ref': product,
        name: 'tcf',
        version: manifest.version,
        description: manifest.description,
        licenses: [{ license: { id: manifest.license } }],
        purl: product,
      },
    },
    components,
    dependencies: [{ ref: product, dependsOn: components.map((component) => component['bom-ref']) }],
    // What the packages need of one another is not said; which they are is.
    compositions: [{ aggregate: 'complete', assemblies: [product] }],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function toComponent({ license, name, version }: BundledPackage): ReleaseComponent {
  return { ...component('library', name, version), ...(license && { licenses: [licenseOf(license)] }) };
}

function toNodeComponent(nodePackage: ExecutablePlatform['nodePackage']): ReleaseComponent {
  return {
    ...component('platform', nodePackage, lock.packages[`node_modules/${nodePackage}`].version),
    description: 'the official Node, which is the executable',
    licenses: [licenseOf('MIT')],
  };
}

function component(type: 'library' | 'platform', name: string, version: string): ReleaseComponent {
  const [scope, base] = name.startsWith('@') ? name.split('/') : [undefined, name];
  const purl = toPurl({
    type: 'npm',
    ...(scope !== undefined && { namespace: scope }),
    name: base ?? name,
    version,
  });
  const { integrity } =
    (lock.packages as Record<string, { integrity?: string }>)[`node_modules/${name}`] ?? {};
  const sha512 = Buffer.from(integrity?.replace(/^sha512-/, '') ?? '', 'base64').toString('hex');
  return { type, 'bom-ref': purl, name, version, purl, hashes: [{ alg: 'SHA-512', content: sha512 }] };
}

interface ReleaseComponent {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly description?: string;
  readonly hashes: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly object[];
}

/** An expression, or one identifier. */
function licenseOf(text: string): object {
  return / (?:AND|OR|WITH) /.test(text) ? { expression: text } : { license: { id: text } };
}
