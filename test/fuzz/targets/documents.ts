import { parseReleaseFile } from '../../../src/app/vulns/archive-index.ts';
import { decodeBase64, decodeUtf8 } from '../../../src/base/bytes.ts';
import { parseJson } from '../../../src/base/json.ts';
import { parseBomContents } from '../../../src/bom/contents.ts';
import { toLicenses } from '../../../src/bom/licenses.ts';
import { parsePurl } from '../../../src/bom/purl.ts';
import { parseSbom } from '../../../src/bom/read.ts';
import { isInRange, parseVers } from '../../../src/bom/vers.ts';
import * as apk from '../../../src/bom/versions/apk.ts';
import * as deb from '../../../src/bom/versions/deb.ts';
import { comparePep440, isPep440, parsePep440, satisfiesPep440 } from '../../../src/bom/versions/pep440.ts';
import { compareEvr } from '../../../src/bom/versions/rpm.ts';
import { compareGo, compareSemver, isGoVersion, isSemver } from '../../../src/bom/versions/semver.ts';
import { parseImageConfig } from '../../../src/oci/config.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { instructionOf } from '../../../src/oci/history.ts';
import { parseManifest } from '../../../src/oci/manifest.ts';
import { parseImageRef } from '../../../src/oci/reference.ts';
import { instructionOfStep, parseContainerfile } from '../../../src/report/containerfile.ts';
import { parseVulnsPredicate } from '../../../src/vulns/attested-scan.ts';
import { parseBaseline } from '../../../src/vulns/baseline.ts';
import { parseLlvmFacts } from '../../../src/vulns/llvm.ts';
import { parseCudaReleases, parseNvidiaFacts } from '../../../src/vulns/nvidia.ts';
import { parseOsv } from '../../../src/vulns/osv.ts';
import { parseRustsec } from '../../../src/vulns/rustsec.ts';
import { parseVex } from '../../../src/vulns/vex.ts';
import { openRecording, recordings } from '../../support/recordings.ts';
import { filesBelow } from '../files.ts';
import { type Target, target, textTarget } from '../target.ts';

const hex = 'ab'.repeat(32);
const manifests = recordings.map(openRecording).flatMap(({ image, manifest }) => [image, manifest]);
const index = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: ['amd64', 'arm64'].map((architecture) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${hex}`,
    size: 500,
    platform: { os: 'linux', architecture, variant: 'v8' },
  })),
});
const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  created: '2026-01-01T00:00:00Z',
  config: { Env: ['PATH=/bin', 'A=b'], Labels: { a: 'b' }, Entrypoint: ['sh'], Cmd: ['-c'], WorkingDir: '/' },
  rootfs: { type: 'layers', diff_ids: [`sha256:${hex}`] },
  history: [{ created: '2026-01-01T00:00:00Z', created_by: 'RUN make' }, { empty_layer: true }],
});
const sboms = filesBelow('fixtures', /\.cdx\.json$/).filter((bytes) => bytes.includes('"bomFormat"'));
const osv = JSON.stringify({
  schema_version: '1.7.0',
  id: 'GHSA-j8r2-6x86-q33q',
  aliases: ['CVE-2023-32681'],
  modified: '2023-05-22T00:00:00Z',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N' }],
  affected: [
    {
      package: { ecosystem: 'PyPI', name: 'requests' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.3.0' }, { fixed: '2.31.0' }] }],
      versions: ['2.28.1'],
    },
  ],
});
const rustsec = JSON.stringify({
  advisory: {
    id: 'RUSTSEC-2023-0001',
    package: 'tokio',
    date: '2023-01-04',
    cvss: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  },
  versions: { patched: ['>= 1.18.4, < 1.19.0', '^1.23.1'], unaffected: ['< 1.7.0'] },
  affected: { os: ['windows'] },
});
const bulletin = JSON.stringify([
  {
    cve: 'CVE-2024-0110',
    bulletin: '5564',
    published: '2024-08-29',
    programs: ['cuobjdump'],
    affected: { bound: 'through', release: '12.6' },
    fixed: ['12.6.1'],
    cvss3: 4.4,
  },
]);
const cuda = JSON.stringify({ '12.8.0': { 'nvidia-cuda-nvcc': '12.8.61' } });
const attestedScan = JSON.stringify({
  scanner: {
    uri: 'pkg:generic/tcf',
    db: { lastUpdate: '2026-11-22T00:00:00Z' },
    result: [
      { id: 'CVE-2', severity: [{ method: 'CVSS3', score: '9.8' }] },
      {
        id: 'CVE-1',
        annotations: [
          {
            'tcf:finding': {
              aliases: [],
              upstream: [],
              ecosystem: 'PyPI',
              package: 'a',
              components: [{ name: 'a', origin: 'added' }],
              verdict: 'affected',
              why: 'x',
              differs: false,
              severity: { level: 'high' },
            },
          },
        ],
      },
    ],
  },
  'tcf:cannotTell': { unjudged: 1, unread: 0 },
});
const oldScan = JSON.stringify({
  findings: [{ id: 'CVE-1', aliases: ['GHSA-1'], ecosystem: 'PyPI', package: 'a', verdict: 'affected' }],
  updates: [{ name: 'libc6' }],
  unjudged: [{ name: 'a', why: 'x' }],
});
const openVex = JSON.stringify({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://example.org/vex/1',
  author: 'Ann',
  timestamp: '2026-11-01T00:00:00Z',
  statements: [
    {
      vulnerability: { name: 'CVE-2023-32681', aliases: ['GHSA-1'] },
      products: [{ '@id': 'pkg:oci/dev', subcomponents: [{ '@id': 'pkg:pypi/requests@2.28.1' }] }],
      status: 'not_affected',
      justification: 'vulnerable_code_not_present',
    },
  ],
});
const cycloneDxVex = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  components: [{ type: 'library', 'bom-ref': 'a', name: 'requests', purl: 'pkg:pypi/requests@2.28.1' }],
  vulnerabilities: [
    {
      id: 'CVE-2023-32681',
      analysis: { state: 'not_affected', justification: 'code_not_reachable' },
      affects: [{ ref: 'urn:cdx:a/1#a' }],
    },
  ],
});
const releaseFile = `Origin: Debian
Label: Debian
Suite: stable
Version: 13.1
Codename: trixie
Date: Sat, 06 Sep 2025 09:00:00 UTC
SHA256:
 ${hex} 10 main/binary-amd64/Packages
`;
const llvm = JSON.stringify([
  { cve: 'CVE-2024-31852', part: 'ARM', place: 'LR', reported: '17.0.2', fixed: '18.1.3' },
]);
const references = [
  'ubuntu',
  'docker.io/library/ubuntu:24.04',
  `quay.io/triton/dev:1@sha256:${hex}`,
  'localhost:5000/a/b-c_d.e:v1',
  '[::1]:5000/a',
];
const purls = [
  'pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie',
  'pkg:golang/google.golang.org/genproto@v0.1.0#googleapis/api',
  'pkg:npm/%40angular/animation@12.3.1',
  'pkg:pypi/ruamel.yaml@0.17',
  'pkg:rpm/fedora/curl@7.50.3-1.fc25?arch=i386&epoch=1',
];
const ranges = [
  'vers:pypi/>=1.0|<2.0|!=1.5',
  'vers:deb/>=1:1.2-3|<2~rc1',
  'vers:rpm/1.0-1|2.0-1',
  'vers:npm/>=1.0.0|<2.0.0-rc.1',
  'vers:apk/>=1.2_rc1-r0',
  'vers:golang/>=v1.2.3|<v2.0.0',
];
const licences = [
  'MIT',
  'GPL-2.0+ and (LGPL-3 or MIT)',
  'Apache License 2.0',
  'GPL-2.0-only WITH Classpath-exception-2.0',
  'BSD 3-Clause, MIT',
];
const versions = [
  '1.0',
  '1:2.3-4ubuntu5~rc1',
  '1.0.post1.dev2+cu124',
  '2.3_p1-r0',
  'v1.2.3-0.2020',
  '1.0^git1',
];

/** Both sides of a comparison: a version and another, apart by the first blank. */
function both(compare: (a: string, b: string) => unknown): (text: string) => unknown {
  return (text) => {
    const at = text.indexOf(' ');
    return at < 0 ? compare(text, '1.0') : compare(text.slice(0, at), text.slice(at + 1));
  };
}

const pairs = versions.flatMap((one) => versions.map((other) => `${one} ${other}`));

export const documents: readonly Target[] = [
  target('oci/manifest.ts parseManifest', [...manifests, index], (bytes) =>
    parseManifest(bytes, undefined, 'the manifest'),
  ),
  target('oci/config.ts parseImageConfig', [config], (bytes) => parseImageConfig(bytes, 'the config')),
  textTarget('oci/digest.ts parseDigest', [`sha256:${hex}`, `sha512:${hex}${hex}`], parseDigest),
  textTarget('oci/reference.ts parseImageRef', references, parseImageRef),
  target('base/json.ts parseJson', [index, config, ...sboms], (bytes) => parseJson(bytes, 'it')),
  target(['base/bytes.ts decodeUtf8', 'base/bytes.ts decodeBase64'], [index, 'TWFu', 'TWE='], (bytes) => [
    decodeUtf8(bytes),
    decodeBase64(Buffer.from(bytes).toString('latin1')),
  ]),
  target('bom/contents.ts parseBomContents', sboms, (bytes) =>
    parseBomContents(parseJson(bytes, 'the SBOM'), 'the SBOM'),
  ),
  target('bom/read.ts parseSbom', sboms, (bytes) => parseSbom(parseJson(bytes, 'the SBOM'), 'the SBOM')),
  target('vulns/osv.ts parseOsv', [osv], (bytes) => parseOsv(parseJson(bytes, 'it'), 'it')),
  target('vulns/attested-scan.ts parseVulnsPredicate', [attestedScan], (bytes) =>
    parseVulnsPredicate(parseJson(bytes, 'it'), 'it'),
  ),
  target('vulns/baseline.ts parseBaseline', [oldScan], (bytes) => {
    const { findings, unjudged, updates } = parseBaseline(parseJson(bytes, 'it'), 'it');
    return [[...findings], [...updates], [...unjudged]];
  }),
  textTarget(
    'report/containerfile.ts parseContainerfile',
    [
      '# escape=`\nFROM a\nRUN x `\n  y\nCOPY <<EOF /z\nq\nEOF\n',
      '|1 A=b /bin/sh -c #(nop) COPY file:ab in /c # buildkit',
    ],
    (text) => {
      const instructions = parseContainerfile(text);
      return [instructions, instructionOfStep({ path: 'x', instructions }, text), instructionOf(text)];
    },
  ),
  target('vulns/vex.ts parseVex', [openVex, cycloneDxVex], (bytes) => parseVex(parseJson(bytes, 'it'), 'it')),
  target('app/vulns/archive-index.ts parseReleaseFile', [releaseFile], (bytes) => {
    const release = parseReleaseFile(bytes, 'InRelease');
    return release === undefined ? [] : [release.facts, [...release.sums]];
  }),
  target('vulns/rustsec.ts parseRustsec', [rustsec], (bytes) => parseRustsec(parseJson(bytes, 'it'), 'it')),
  target('vulns/nvidia.ts parseNvidiaFacts', [bulletin], (bytes) =>
    parseNvidiaFacts(parseJson(bytes, 'it'), 'it'),
  ),
  target('vulns/nvidia.ts parseCudaReleases', [cuda], (bytes) =>
    [...parseCudaReleases(parseJson(bytes, 'it'), 'it')].map(([name, builds]) => [name, [...builds]]),
  ),
  target('vulns/llvm.ts parseLlvmFacts', [llvm], (bytes) => parseLlvmFacts(parseJson(bytes, 'it'), 'it')),
  textTarget('bom/purl.ts parsePurl', purls, parsePurl),
  textTarget('bom/vers.ts parseVers', ranges, (text) => {
    const range = parseVers(text);
    return versions.map((version) => isInRange(range, version));
  }),
  textTarget('bom/licenses.ts toLicenses', licences, (text) =>
    (['debian', 'fedora', 'python', 'spdx'] as const).map((kind) => toLicenses(text, kind as never)),
  ),
  textTarget(['bom/versions/pep440.ts parsePep440', 'bom/versions/pep440.ts comparePep440'], pairs, (text) =>
    both((a, b) => [
      parsePep440(a),
      isPep440(a) && isPep440(b) ? [comparePep440(a, b), satisfiesPep440(a, '>=', b)] : [],
    ])(text),
  ),
  textTarget('bom/versions/deb.ts compareDebVersions', pairs, both(deb.compareDebVersions)),
  textTarget('bom/versions/apk.ts compareApkVersions', pairs, both(apk.compareApkVersions)),
  textTarget('bom/versions/rpm.ts compareEvr', pairs, both(compareEvr)),
  textTarget('bom/versions/semver.ts compareSemver', pairs, (text) =>
    both((a, b) => [
      isSemver(a) && isSemver(b) && compareSemver(a, b),
      isGoVersion(a) && isGoVersion(b) && compareGo(a, b),
    ])(text),
  ),
];
