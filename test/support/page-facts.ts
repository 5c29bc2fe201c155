import { parseBomContents } from '../../src/bom/contents.ts';
import { diffBoms } from '../../src/bom/diff.ts';
import type { Verdict } from '../../src/policy/decide.ts';
import type { PageFacts, PageLayer } from '../../src/report/page/facts.ts';

export interface MadeComponent {
  readonly [member: string]: unknown;
}

const property = (name: string, value: string) => ({ name, value });

/** A document of this many packages of four kinds in five layers, each with a place, a licence and edges. */
export function manyComponents(count: number): readonly MadeComponent[] {
  const kinds = ['deb/debian', 'pypi', 'npm', 'cargo'];
  const licenses = ['MIT', 'Apache-2.0', 'GPL-2.0-or-later', 'BSD-3-Clause', 'MPL-2.0'];
  return Array.from({ length: count }, (_, at) => {
    const name = `package-${((at * 7919) % count).toString(36)}-${at}`;
    const version = `${at % 9}.${at % 31}.${at % 7}`;
    const purl = `pkg:${kinds[at % kinds.length]}/${name}@${version}`;
    const layer = at % 5;
    return {
      type: 'library',
      'bom-ref': purl,
      name,
      version,
      purl,
      licenses: [{ expression: licenses[at % licenses.length] }],
      evidence: {
        occurrences: [
          {
            location: `usr/lib/node_modules/${name}/package.json`,
            additionalContext: `layer ${layer} sha256:${'0'.repeat(63)}${layer}: RUN install part ${layer}`,
          },
        ],
      },
      properties: [property('tcf:size', String(1000 + ((at * 104_729) % 9_000_000)))],
    };
  });
}

export function documentOf(components: readonly MadeComponent[], more: object = {}): object {
  const refs = components.map((component) => String(component['bom-ref']));
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: {
      component: {
        type: 'container',
        'bom-ref': 'image',
        name: 'triton-dev',
        properties: [
          property('tcf:image:os', 'linux'),
          property('tcf:image:architecture', 'amd64'),
          property('tcf:image:created', '2026-11-23T10:00:00Z'),
        ],
      },
    },
    components,
    dependencies: refs.map((ref, at) => ({
      ref,
      dependsOn: [refs[(at * 3 + 1) % refs.length], refs[(at * 5 + 2) % refs.length]],
    })),
    ...more,
  };
}

export function pageFacts(document: object, more: Partial<PageFacts> = {}): PageFacts {
  const contents = parseBomContents(document, 'the SBOM');
  const layers: readonly PageLayer[] = contents.layers.map((layer) => ({ ...layer, bytes: 2_000_000_000 }));
  return {
    name: 'registry.example/triton-dev:1',
    version: '0.1.0',
    contents,
    layers,
    evidence: { kind: 'none', why: 'there is no policy' },
    vulnerabilities: { kind: 'none', why: 'there is no database' },
    ...more,
  };
}

/** Markup, scripts and control characters that a package may have in its name, its licence or its place. */
export const hostileTexts: readonly string[] = [
  '<script>window.owned = true</script>',
  '</script><script>window.owned = true</script>',
  '<img src=x onerror="window.owned=true">',
  '"><svg onload=window.owned=true>',
  "' autofocus onfocus='window.owned=true",
  '<!--<script>',
  'javascript:window.owned=true',
  '</style><style>*{display:none}</style>',
  '\u202egnp.exe \u0000\u001b[31m \u2028',
  '$\u007bwindow.owned=true}{{7*7}}',
  '__proto__',
  'x'.repeat(5000),
];

/** A page in which a stranger wrote everything that a stranger can. */
export function hostilePage(): PageFacts {
  const components = hostileTexts.map((text, at) => ({
    type: 'library',
    'bom-ref': `${at}${text}`,
    name: text,
    version: text,
    purl: `pkg:generic/x@1?y=${text}`,
    licenses: [{ license: { name: text } }],
    evidence: {
      occurrences: [
        { location: text, additionalContext: `layer ${at} sha256:${'0'.repeat(62)}${10 + at}: ${text}` },
      ],
    },
    properties: [
      property('tcf:size', String(1000 * (at + 1))),
      property('tcf:cuda:part', text),
      ...(at % 3 === 0
        ? [
            property('tcf:llvm:role', text),
            property('tcf:llvm:pin', text),
            property('tcf:llvm:declared', text),
            property('tcf:llvm:observed', text),
          ]
        : [property('tcf:kernel:kind', text), property('tcf:kernel:target', text)]),
    ],
  }));
  const [first = ''] = hostileTexts;
  const document = documentOf(components, {
    serialNumber: first,
    properties: hostileTexts.flatMap((text) => [
      property('tcf:skipped', text),
      property('tcf:left-out', text),
    ]),
  });
  const facts = pageFacts(document);
  const finding = (text: string) => ({
    rule: text,
    mode: 'enforce' as const,
    outcome: 'fail' as const,
    message: text,
    expected: text,
    actual: text,
    hint: text,
  });
  const verdict = {
    image: { registry: 'r', repository: 'x', digest: `sha256:${'0'.repeat(64)}` },
    decidedAt: new Date('2026-11-23T12:00:00Z'),
    verdict: 'deny',
    exit: 1,
    decisions: [
      {
        verdict: 'deny',
        exit: 1,
        policy: { name: first, digest: `sha256:${'0'.repeat(64)}` },
        scope: first,
        roots: [],
        findings: hostileTexts.map(finding),
      },
    ],
    candidates: hostileTexts.map((text) => ({
      source: `sha256:${'0'.repeat(64)}`,
      verified: true,
      message: text,
      signed: { predicateType: text, signer: text, times: [new Date('2026-11-23T11:00:00Z')], logs: 1 },
    })),
  } as unknown as Verdict;
  return {
    ...facts,
    name: first,
    evidence: { kind: 'verdict', verdict },
    baseline: {
      name: first,
      diff: diffBoms(parseBomContents(documentOf([]), 'the SBOM'), facts.contents),
    },
    vulnerabilities: {
      kind: 'looked',
      database: {
        path: first,
        file: { digest: `sha256:${'0'.repeat(64)}`, size: 1 },
        taken: first,
        facts: { sources: hostileTexts.map((text) => ({ name: text, records: 1, unread: 0 })) },
      },
      scan: {
        database: { sources: [] },
        updates: hostileTexts.map((text) => ({ name: text, installed: text, offered: { version: text } })),
        unjudged: [],
        judged: 1,
        answeredByOwner: 0,
        findings: hostileTexts.map((text) => ({
          id: text,
          aliases: [text],
          upstream: [],
          ecosystem: text,
          package: text,
          version: text,
          components: [{ name: text, location: text }],
          verdict: 'affected',
          why: text,
          answers: [],
          differs: false,
          severity: { level: text, score: 9.8 },
          fixedIn: text,
        })),
      },
    } as unknown as PageFacts['vulnerabilities'],
  };
}
