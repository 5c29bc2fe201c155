import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePurl } from '../src/bom/purl.ts';
import { type Cost, measured, must, scratchPath } from './processes.ts';
import { askImage, type Key, type Manager, managers, normalized } from './truth.ts';

// Compares the SBOMs of tcf, syft and trivy with each other and with what the package managers inside the image say, and prints Markdown.
// usage: npm run bench:sbom -- IMAGE...        IMAGE is in podman's store; bench/peers.sh builds the peers first

interface Found {
  readonly tool: string;
  readonly cost: Cost;
  readonly packages: ReadonlySet<Key>;
  /** What belongs to no package manager: LLVM, CUDA, loose programs. */
  readonly natives: ReadonlySet<string>;
}

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly components?: readonly Component[];
}

const root = join(import.meta.dirname, '..');
const peers = '/var/tmp/tcf-peers/bin';
/** Of each kind of disagreement; a table of thousands is read by nobody. */
const maxListed = 40;

const tools: readonly { readonly name: string; readonly run: (layout: string, output: string) => Cost }[] = [
  {
    name: 'tcf',
    run: (layout, output) =>
      measured(process.execPath, [join(root, 'src/main.ts'), 'sbom', `oci:${layout}`, '-o', output]),
  },
  {
    name: 'syft',
    run: (layout, output) =>
      measured(join(peers, 'syft'), ['scan', `oci-dir:${layout}`, '-q', '-o', `cyclonedx-json=${output}`]),
  },
  {
    name: 'trivy',
    run: (layout, output) =>
      measured(join(peers, 'trivy'), [
        ...['image', '--input', layout, '--format', 'cyclonedx', '--output', output],
        ...['--quiet', '--skip-version-check', '--cache-dir', scratchPath('trivy-cache')],
      ]),
  },
];

function flat(components: readonly Component[] = []): readonly Component[] {
  return components.flatMap((component) => [component, ...flat(component.components)]);
}

function isVendored({ properties = [] }: Component): boolean {
  return properties.some(({ name, value }) => name === 'tcf:python:vendored' && value === 'true');
}

function keyOf({ purl = '' }: Component): { readonly manager: Manager; readonly key: Key } | undefined {
  // Peers write purls of other types that are none: `pkg:golang/stdlib@1.19.8` has no namespace.
  const manager = managers.find((known) => purl.startsWith(`pkg:${known}/`));
  if (manager === undefined) {
    return undefined;
  }
  const { name, qualifiers = {}, version = '' } = parsePurl(purl);
  const epoch = qualifiers['epoch'] ?? '0';
  const full = epoch === '0' || version.startsWith(`${epoch}:`) ? version : `${epoch}:${version}`;
  const words = manager === 'pypi' ? [name, version] : [name, full, qualifiers['arch'] ?? ''];
  return { manager, key: normalized([manager, ...words].join(' ')) };
}

function read(tool: string, cost: Cost, file: string): Found {
  const bom = JSON.parse(readFileSync(file, 'utf8')) as { readonly components?: readonly Component[] };
  const packages = new Set<Key>();
  const natives = new Set<string>();
  for (const component of flat(bom.components)) {
    const found = keyOf(component);
    if (found !== undefined && !isVendored(component)) {
      packages.add(found.key);
    }
    if (found === undefined && (component.type === 'application' || component.type === 'library')) {
      // One writes `v1.2.3` and `go1.26.8`, another `1.2.3` and `1.26.8`.
      natives.add(
        `${component.name} ${component.version?.replace(/^(?:v|go)(?=\d)/, '') ?? 'of unknown version'}`,
      );
    }
  }
  return { tool, cost, packages, natives };
}

function without<T>(all: Iterable<T>, known: ReadonlySet<T>): readonly T[] {
  return [...all].filter((item) => !known.has(item)).sort();
}

function ofManager(keys: Iterable<Key>, manager: Manager): ReadonlySet<Key> {
  return new Set([...keys].filter((key) => key.startsWith(`${manager} `)));
}

function listed(title: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) {
    return [];
  }
  const rest = items.length - maxListed;
  return [`- ${title}: ${items.slice(0, maxListed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`];
}

function compare(image: string): void {
  const layout = scratchPath(image.replaceAll(/[^a-z0-9]/gi, '-'));
  must('skopeo', ['copy', '--quiet', `containers-storage:${image}`, `oci:${layout}:latest`]);
  const truth = askImage(image);
  const found = tools.map(({ name, run }) => {
    const output = `${layout}-${name}.json`;
    return read(name, run(layout, output), output);
  });

  const lines = [
    `## ${image}`,
    '',
    `| | the image itself | ${found.map(({ tool }) => tool).join(' | ')} |`,
    `| --- | --- | ${found.map(() => '---').join(' | ')} |`,
  ];
  const details: string[] = [];
  for (const manager of managers) {
    const own = truth.get(manager);
    const claims = found.map(({ packages, tool }) => ({ tool, keys: ofManager(packages, manager) }));
    if (own === undefined && claims.every(({ keys }) => keys.size === 0)) {
      continue;
    }
    const cells = claims.map(({ keys }) => {
      if (own === undefined) {
        return `${keys.size}`;
      }
      return `${keys.size}: ${without(own, keys).length} missed, ${without(keys, own).length} not installed`;
    });
    lines.push(`| ${manager} | ${own?.size ?? 'has no such tool'} | ${cells.join(' | ')} |`);
    for (const { keys, tool } of claims) {
      if (own === undefined) {
        continue;
      }
      details.push(...listed(`${tool} misses`, without(own, keys)));
      details.push(...listed(`${tool} lists, and the image says it is not installed`, without(keys, own)));
    }
  }
  const [ours] = found;
  lines.push(`| natives | | ${found.map(({ natives }) => natives.size).join(' | ')} |`);
  lines.push(
    `| time, as a ratio to tcf | | ${found.map(({ cost }) => (cost.seconds / (ours?.cost.seconds ?? 1)).toFixed(2)).join(' | ')} |`,
  );
  lines.push(`| peak memory, MiB | | ${found.map(({ cost }) => cost.peakMiB.toFixed(0)).join(' | ')} |`);
  for (const one of found) {
    const others = found.filter((other) => (one === ours ? other !== ours : other === ours));
    const known = new Set(others.flatMap(({ natives }) => [...natives]));
    const whose = one === ours ? 'that only tcf has' : `of ${one.tool} that tcf has not`;
    details.push(...listed(`natives ${whose}`, without(one.natives, known)));
  }
  process.stdout.write(`${[...lines, '', ...details].join('\n')}\n\n`);
}

for (const image of process.argv.slice(2)) {
  compare(image);
}
