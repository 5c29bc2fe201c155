import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gitlabProblems } from '../support/gitlab.ts';
import { sarifProblems } from '../support/sarif.ts';
import { must, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * A pipeline as a team runs it: buildah builds from a Containerfile, a real registry takes the image, tcf signs it and
 * gates it. Each turn with the exit code that the job sees and the files that the platform is handed.
 */

const folder = scratch();
const at = (name: string) => join(folder.path, name);
const http = '--allow-http';
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
const dev = (tag: string) => `${registry.host}/team/dev:${tag}`;
const here = (...args: string[]) => tcf(args, { cwd: folder.path, env: { XDG_CACHE_HOME: at('cache') } });

function put(path: string, content: string | object): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), typeof content === 'string' ? content : JSON.stringify(content));
}

/** A distribution of Python as pip leaves it. */
function installed(below: string, name: string, version: string): void {
  const info = `${below}/usr/lib/python3/dist-packages/${name}-${version}.dist-info`;
  put(`${info}/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`);
  put(`${info}/INSTALLER`, 'pip\n');
  put(`${info}/RECORD`, `${name}-${version}.dist-info/METADATA,,\n`);
}

const containerfile = `# what the team builds
FROM scratch
LABEL org.opencontainers.image.title=dev

COPY os/etc/ /etc/
COPY requests/usr/ \\
     /usr/
`;

async function build(tag: string, more = ''): Promise<void> {
  put('Containerfile', `${containerfile}${more}`);
  await must('buildah', [
    'bud',
    '--layers',
    '--quiet',
    '--tag',
    `localhost/tcf-e2e-gate:${tag}`,
    '--file',
    at('Containerfile'),
    folder.path,
  ]);
  await must('buildah', [
    'push',
    '--quiet',
    '--tls-verify=false',
    `localhost/tcf-e2e-gate:${tag}`,
    `docker://${dev(tag)}`,
  ]);
}

const sign = async (tag: string) => {
  const signed = await here('sign', dev(tag), '--key', 'team.key', http);
  expect(signed.code, signed.stderr).toBe(0);
};

interface Terms {
  readonly vulnerabilities?: object;
  readonly exceptions?: readonly object[];
}

function policy({ exceptions, vulnerabilities = {} }: Terms = {}): void {
  const vulns = { whenUnknown: 'allow', data: { maxAge: '30d' }, ...vulnerabilities };
  put('policy.json', {
    version: 1,
    trust: { logs: { key: 0 } },
    signers: { team: { keyFile: 'team.pub' }, security: { keyFile: 'security.pub' } },
    scopes: [
      {
        match: `${registry.host}/team/dev`,
        require: { signed: { by: ['team'] }, sbom: { by: ['team'] }, vulnerabilities: vulns },
      },
      { match: `${registry.host}/security/vulns`, require: { signed: { by: ['security'] } } },
    ],
    ...(exceptions === undefined ? {} : { exceptions }),
  });
}

const reports = [
  '--sarif',
  'out.sarif',
  '--junit',
  'out.xml',
  '--codequality',
  'out.json',
  '--summary',
  'out.md',
  '--annotations',
];

/** The gate, and what it left for the platform: valid whatever the answer is. */
async function gate(names: readonly string[], ...more: readonly string[]) {
  put('out.md', '');
  const ran = await here(
    'gate',
    ...names,
    '--policy',
    'policy.json',
    http,
    '--containerfile',
    'Containerfile',
    ...reports,
    ...more,
  );
  const sarif = JSON.parse(readFileSync(at('out.sarif'), 'utf8'));
  const quality = JSON.parse(readFileSync(at('out.json'), 'utf8'));
  expect(sarifProblems(sarif)).toEqual([]);
  expect(gitlabProblems('code quality', quality)).toEqual([]);
  await must('python3', [
    '-c',
    'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])',
    at('out.xml'),
  ]);
  const results: readonly { readonly level: string; readonly message: { readonly text: string } }[] =
    sarif.runs.flatMap((one: { readonly results: readonly object[] }) => one.results);
  expect(readFileSync(at('out.md'), 'utf8').length).toBeGreaterThan(0);
  return { ...ran, results, text: results.map(({ message }) => message.text).join('\n') };
}

const record = (id: string, name: string, fixed: string, published: string) => ({
  id,
  aliases: [`CVE-2026-${id.slice(-4)}`],
  modified: published,
  published,
  database_specific: { severity: 'HIGH' },
  affected: [
    {
      package: { ecosystem: 'PyPI', name },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
});

const days = (count: number) => new Date(Date.now() + count * 86_400_000).toISOString();
const day = (count: number) => days(count).slice(0, 10);

beforeAll(async () => {
  registry = await startDockerRegistry(folder.path);
  for (const name of ['team', 'security', 'mallory']) {
    expect(await here('keygen', '--output-key-prefix', name)).toMatchObject({ code: 0 });
  }
  put('os/etc/os-release', 'ID=debian\nVERSION_ID="12"\n');
  installed('requests', 'requests', '2.28.1');
  installed('urllib3', 'urllib3', '1.26.0');
  put('osv/a.json', record('GHSA-0000-0000-1001', 'requests', '2.31.0', days(-60)));
  put('osv/b.json', record('GHSA-0000-0000-1002', 'urllib3', '1.26.18', days(-60)));
  policy();
});

afterAll(async () => {
  await registry.stop();
  const images = await must('podman', ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const ours = images.split('\n').filter((name) => name.startsWith('localhost/tcf-e2e-gate:'));
  if (ours.length > 0) {
    await must('podman', ['rmi', '--force', ...ours]);
  }
  folder[Symbol.dispose]();
});

describe('the data', () => {
  const name = () => `${registry.host}/security/vulns:1`;
  const pull = () => here('db', 'pull', name(), '--policy', 'policy.json', http);

  test('is built, pushed, and taken only when the right person has signed it', async () => {
    const built = await here('db', 'build', 'osv', '--taken', days(-1), '-o', 'db.sqlite');
    expect(built.code, built.stderr).toBe(0);
    expect((await here('db', 'push', name(), '--db', 'db.sqlite', http)).code).toBe(0);
    expect((await pull()).code).toBe(1);
    expect((await here('sign', name(), '--key', 'mallory.key', '--no-sbom', http)).code).toBe(0);
    expect((await pull()).code).toBe(1);
    expect((await here('db', 'status')).code).toBe(1);
    expect((await here('sign', name(), '--key', 'security.key', '--no-sbom', http)).code).toBe(0);
    expect((await pull()).code).toBe(0);
    expect((await here('db', 'status')).stdout).toContain('which the policy allowed');
  });
});

describe('the first image', () => {
  beforeAll(async () => {
    await build('1');
    await sign('1');
  });

  test('is denied for what it has, and every report says so', async () => {
    const { code, stdout, text } = await gate([dev('1')]);
    expect(code).toBe(1);
    expect(text).toContain('CVE-2026-1001 (high) in requests');
    expect(stdout).toContain('::error title=tcf%3A vulnerabilities');
  });

  test('the alert of the vulnerability stands at the COPY that brought it', async () => {
    const sbom = await here('sbom', dev('1'), http, '-o', 'sbom.json');
    expect(sbom.code, sbom.stderr).toBe(0);
    const found = await here(
      'vulns',
      'sbom.json',
      '--format',
      'sarif',
      '--containerfile',
      'Containerfile',
      '-o',
      'alerts.sarif',
    );
    expect(found.code, found.stderr).toBe(1);
    const log = JSON.parse(readFileSync(at('alerts.sarif'), 'utf8'));
    expect(sarifProblems(log)).toEqual([]);
    const alert = log.runs[0].results.find(({ ruleId }: { ruleId: string }) => ruleId === 'CVE-2026-1001');
    expect(alert.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: 'Containerfile' },
      region: { startLine: 6, endLine: 7 },
    });
    const report = await here('vulns', 'sbom.json', '--format', 'gitlab');
    expect(gitlabProblems('container scanning', JSON.parse(report.stdout))).toEqual([]);
  });

  test('may pass until a date, and not after it', async () => {
    policy({ vulnerabilities: { warnUntil: day(30) } });
    expect(await gate([dev('1')])).toMatchObject({ code: 0, results: [{ level: 'warning' }] });
    policy({ vulnerabilities: { warnUntil: day(-1) } });
    expect((await gate([dev('1')])).code).toBe(1);
  });
});

describe('the next image', () => {
  beforeAll(async () => {
    policy({ vulnerabilities: { baseline: 'attested' } });
    await build('2', 'LABEL again=yes\nCOPY os/etc/os-release /etc/again\n');
    await sign('2');
    await build('3', 'COPY urllib3/usr/ /usr/\n');
    await sign('3');
  });

  test('with nothing new passes', async () => {
    expect((await gate([dev('2')])).code).toBe(1);
    expect(await gate([dev('2')], '--baseline', ':1')).toMatchObject({ code: 0, results: [] });
  });

  test('with something new is denied for that alone', async () => {
    const { code, text } = await gate([dev('3')], '--baseline', ':1');
    expect(code).toBe(1);
    expect(text).toContain('CVE-2026-1002 (high) in urllib3');
    expect(text).not.toContain('CVE-2026-1001');
  });

  test('VEX of the security team lets it pass, and that of a stranger does not', async () => {
    put('vex.json', {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://example.org/vex/1',
      author: 'Ann',
      timestamp: days(-1),
      version: 1,
      statements: [
        {
          vulnerability: { name: 'CVE-2026-1002' },
          status: 'not_affected',
          justification: 'vulnerable_code_not_in_execute_path',
          products: [{ '@id': 'pkg:pypi/urllib3' }],
        },
      ],
    });
    policy({ vulnerabilities: { baseline: 'attested', vex: { by: ['security'] } } });
    const attest = (key: string) =>
      here('sign', dev('3'), '--key', key, '--no-sbom', '--attest', 'openvex=vex.json', http);
    expect((await attest('mallory.key')).code).toBe(0);
    expect((await gate([dev('3')], '--baseline', ':1')).code).toBe(1);
    expect((await attest('security.key')).code).toBe(0);
    expect((await gate([dev('3')], '--baseline', ':1')).code).toBe(0);
  });

  test('an exception lets the first pass, and ends', async () => {
    const digest = (
      await must('skopeo', [
        'inspect',
        '--tls-verify=false',
        '--format',
        '{{.Digest}}',
        `docker://${dev('1')}`,
      ])
    ).trim();
    const exception = (expires: string) => [
      { digest, rules: ['vulnerabilities'], owner: 'ann@example.org', reason: 'looked into', expires },
    ];
    policy({ exceptions: exception(day(30)) });
    expect((await gate([dev('1')])).code).toBe(0);
    policy({ exceptions: exception(day(-1)) });
    expect((await gate([dev('1')])).code).toBe(1);
  });

  test('several images: one that is not there costs no other its decision', async () => {
    policy({ vulnerabilities: { baseline: 'attested' } });
    const { code, results } = await gate([dev('2'), dev('none'), dev('3')], '--baseline', ':1');
    expect(code).toBe(1);
    expect(results).toHaveLength(2);
    expect((await gate([dev('2'), dev('none')], '--baseline', ':1')).code).toBe(2);
  });
});

describe('where nobody can tell', () => {
  test.for<[string, () => readonly string[], number]>([
    [
      'data with a flipped byte',
      () => {
        const bytes = readFileSync(at('db.sqlite'));
        bytes[5000] = (bytes[5000] ?? 0) ^ 1;
        writeFileSync(at('flipped.sqlite'), bytes);
        return ['--db', 'flipped.sqlite'];
      },
      2,
    ],
    ['no data', () => ['--db', 'none.sqlite'], 3],
    ['a baseline that is not there', () => ['--baseline', ':none'], 2],
  ])('%s is never a yes', async ([, prepare, code]) => {
    policy({ vulnerabilities: { baseline: 'attested' } });
    const ran = await gate([dev('2')], ...prepare());
    expect(ran.code).toBe(code);
    expect(ran.results.length).toBeGreaterThan(0);
  });

  test('old data', async () => {
    expect((await here('db', 'build', 'osv', '--taken', days(-40), '-o', 'old.sqlite')).code).toBe(0);
    policy({ vulnerabilities: { severity: 'critical' } });
    expect((await gate([dev('2')])).code).toBe(0);
    expect((await gate([dev('2')], '--db', 'old.sqlite')).code).toBe(2);
  });
});
