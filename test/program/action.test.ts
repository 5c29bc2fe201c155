import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { folder } from '../support/host.ts';
import { type Ended, runProgram } from '../support/run-program.ts';

/*
 * What cannot be run here, action.yml and the component of GitLab, runs step by step as a shell, with the
 * files and variables that the platform gives a step. The release is one of a tcf that writes down how it was
 * called; the real one is in test/interop/release.test.ts.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
const version = '9.8.7';
const platform = { x64: 'linux-x64', arm64: 'linux-arm64' }[process.arch as string] ?? 'linux-x64';
const name = `tcf-${version}-${platform}.gz`;

/** Ends with the code in TCF_TEST_EXIT, and makes the file that it is told to write. */
const fakeTcf = `#!/bin/bash
# Triton Container First: SBOM
if [ "$1" = --version ]; then echo "tcf ${version}"; exit; fi
printf '%s\\n' "$*" >> "$TCF_TEST_CALLS"
if [ "$1" = verify-bundle ]; then exit "\${TCF_TEST_VERIFY:-0}"; fi
while [ $# -gt 0 ]; do case $1 in --sarif|--output) echo made > "$2";; --summary) echo summary >> "$2";; esac; shift; done
exit "\${TCF_TEST_EXIT:-0}"
`;
const packed = gzipSync(fakeTcf);
const digest = createHash('sha256').update(packed).digest('hex');

function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = place.path,
): Promise<Ended> {
  return runProgram(file, args, { cwd, env });
}

let server: Server;
let from: string;
/** What the server of the release answers, by file name. */
const files = new Map<string, string | Uint8Array>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const body = files.get(basename(request.url ?? ''));
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Without zstd the file of gzip is taken, on this machine as on any.
  mkdirSync(join(place.path, 'bin'));
  for (const tool of [
    'bash',
    'sh',
    'curl',
    'gzip',
    'grep',
    'sed',
    'awk',
    'cut',
    'cat',
    'mkdir',
    'mktemp',
    'mv',
    'rm',
    'chmod',
    'uname',
    'sha256sum',
    'dirname',
  ]) {
    const path = ['/usr/bin', '/bin'].map((folder) => join(folder, tool)).find(existsSync) ?? tool;
    writeFileSync(join(place.path, 'bin', tool), `#!/bin/bash\nexec ${path} "$@"\n`, { mode: 0o755 });
  }
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  place[Symbol.dispose]();
});

interface Step {
  readonly name: string;
  readonly if?: string;
  readonly shell: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
  readonly uses?: string;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as Action;

/** The action at a commit that pins this digest, with a runner around it. */
class Job {
  readonly #path: string;
  readonly #actionPath: string;

  constructor(pinned = `${digest}  ${name}\n`) {
    this.#path = join(place.path, `job-${readdirSync(place.path).length}`);
    this.#actionPath = join(this.#path, 'action');
    mkdirSync(join(this.#path, 'work'), { recursive: true });
    cpSync(join(root, 'toolchain/ci'), join(this.#actionPath, 'toolchain/ci'), { recursive: true });
    cpSync(join(root, 'toolchain/install.sh'), join(this.#actionPath, 'toolchain/install.sh'));
    writeFileSync(join(this.#actionPath, 'toolchain/ci/release.sha256'), pinned);
  }

  read(file: string): string {
    const path = join(this.#path, file);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** All steps, as a runner runs them: the first that fails ends the job. */
  async run(
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    const values: Readonly<Record<string, string>> = {
      ...Object.fromEntries(
        Object.entries(action.inputs).map(([key, { default: value }]) => [`inputs.${key}`, value]),
      ),
      ...Object.fromEntries(Object.entries(inputs).map(([key, value]) => [`inputs.${key}`, value])),
      'github.action_path': this.#actionPath,
    };
    const expand = (text: string) =>
      text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, key: string) => values[key] ?? `no ${key}`);
    let last: Ended = { code: 0, stdout: '', stderr: '' };
    for (const step of action.runs.steps) {
      const [, key = '', unwanted] = /^\$\{\{ ([\w.]+) != '(\w+)' \}\}$/.exec(step.if ?? '') ?? [];
      if (step.if !== undefined && values[key] === unwanted) {
        continue;
      }
      expect(step.shell).toBe('bash');
      const own = Object.fromEntries(Object.entries(step.env).map(([key, value]) => [key, expand(value)]));
      last = await run(
        'bash',
        ['--noprofile', '--norc', '-eo', 'pipefail', '-c', expand(step.run)],
        {
          PATH: join(place.path, 'bin'),
          HOME: this.#path,
          RUNNER_TEMP: join(this.#path, 'temp'),
          GITHUB_OUTPUT: join(this.#path, 'output'),
          GITHUB_PATH: join(this.#path, 'path'),
          GITHUB_STEP_SUMMARY: join(this.#path, 'summary'),
          TCF_TEST_CALLS: join(this.#path, 'calls'),
          ...own,
          ...env,
        },
        join(this.#path, 'work'),
      );
      if (last.code !== 0) {
        return last;
      }
    }
    return last;
  }
}

function publish(more: Readonly<Record<string, string | Uint8Array>> = {}): void {
  files.clear();
  const good = { [name]: packed, SHA256SUMS: `${digest}  ${name}\n`, 'SHA256SUMS.sigstore.json': '{}' };
  for (const [file, content] of Object.entries({ ...good, ...more })) {
    files.set(file, content);
  }
}

describe('action.yml', () => {
  test('calls no other action, and puts nothing of its inputs into a script', () => {
    expect(action.runs.using).toBe('composite');
    for (const step of action.runs.steps) {
      expect(step.uses).toBeUndefined();
      expect(step.run).not.toContain('${{');
    }
  });

  test('setup puts the pinned tcf on PATH, after its signature was verified', async () => {
    publish();
    const job = new Job();
    expect(await job.run({ from })).toMatchObject({ code: 0 });
    expect(job.read('path').trim()).toMatch(/temp\/tcf\/bin$/);
    expect(job.read('calls')).toMatch(
      /^verify-bundle --bundle \S+SHA256SUMS\.sigstore\.json .*release\.yml@refs\/tags\/v9\.8\.7 \S+SHA256SUMS\n$/,
    );
  });

  test.for<readonly [string, Record<string, string>, Record<string, string>, string, Record<string, string>]>(
    [
      [
        'sbom',
        { image: 'r/a:1' },
        {},
        'sbom r/a:1 --output sbom.cdx.json',
        { 'exit-code': '0', file: 'sbom.cdx.json' },
      ],
      [
        'sbom',
        { image: 'r/a:1', output: 'my file' },
        {},
        'sbom r/a:1 --output my file',
        { 'exit-code': '0', file: 'my file' },
      ],
      ['sign', { image: 'r/a@sha256:0' }, {}, 'sign r/a@sha256:0', { 'exit-code': '0' }],
      ['sign', { image: 'r/a:1', key: 'k.key' }, {}, 'sign r/a:1 --key k.key', { 'exit-code': '0' }],
      [
        'gate',
        { image: 'r/a:1', policy: 'p.yaml' },
        {},
        'gate r/a:1 --sarif tcf.sarif --summary SUMMARY --policy p.yaml',
        { 'exit-code': '0', file: 'tcf.sarif' },
      ],
      [
        'gate',
        { image: 'r/a:1' },
        { TCF_TEST_EXIT: '1' },
        'gate r/a:1 --sarif tcf.sarif --summary SUMMARY',
        { 'exit-code': '1', file: 'tcf.sarif' },
      ],
      [
        'gate',
        { image: '$(touch hurt); `touch hurt` "' },
        { TCF_TEST_EXIT: '2' },
        'gate $(touch hurt); `touch hurt` " --sarif tcf.sarif --summary SUMMARY',
        { 'exit-code': '2', file: 'tcf.sarif' },
      ],
    ],
  )('%s with %j and %j', async ([command, inputs, env, call, outputs]) => {
    publish();
    const job = new Job();
    const ran = await job.run({ command, from, ...inputs }, env);
    expect(ran.code).toBe(Number(outputs['exit-code']));
    const calls = job.read('calls').trim().split('\n').slice(1);
    expect(calls.map((line) => line.replace(/\S+\/summary/, 'SUMMARY'))).toEqual([call]);
    const told = job
      .read('output')
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2));
    expect(Object.fromEntries(told)).toEqual(outputs);
    expect(Object.keys(action.outputs)).toEqual(expect.arrayContaining(Object.keys(outputs)));
    expect(job.read('summary')).toBe(command === 'gate' ? 'summary\n' : '');
    expect(job.read('work/hurt')).toBe('');
  });

  test.for([
    [{ command: 'sbom' }, '"image" is missing'],
    [{ command: 'frobnicate', image: 'r/a:1' }, 'setup, sbom, sign or gate'],
    [{ command: 'sbom', image: 'r/a:1\nfile=/etc/passwd' }, 'more than one line'],
    [{ command: 'sbom', image: 'r/a:1', output: 'x\nfile=y' }, 'more than one line'],
    [{ command: 'sbom', image: '--version' }, 'begins with a dash'],
  ] as const)('%j is refused before tcf is called', async ([inputs, told]) => {
    publish();
    const job = new Job();
    expect(await job.run({ from, ...inputs })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(told),
    });
    expect(job.read('calls').trim().split('\n')).toHaveLength(1);
    expect(job.read('output')).toBe('');
  });

  test.for<readonly [string, Record<string, string | Uint8Array>, Record<string, string>, string]>([
    [
      'other bytes than the commit pins',
      { [name]: gzipSync(`${fakeTcf}# other\n`) },
      {},
      'nothing was installed',
    ],
    ['a list of checksums without it', { SHA256SUMS: `${'0'.repeat(64)}  ${name}\n` }, {}, 'does not name'],
    ['a signature that does not count', {}, { TCF_TEST_VERIFY: '1' }, 'not signed by the workflow'],
  ])('%s ends the job', async ([, more, env, told]) => {
    publish(more);
    const job = new Job();
    const ran = await job.run({ command: 'sbom', image: 'r/a:1', from }, env);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
    expect(job.read('path')).toBe('');
    expect(job.read('output')).toBe('');
  });

  test('a release without a signature ends the job', async () => {
    publish();
    files.delete('SHA256SUMS.sigstore.json');
    expect(await new Job().run({ from })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot download'),
    });
  });

  test('a commit that pins no release runs nothing', async () => {
    publish();
    const pinned = readFileSync(join(root, 'toolchain/ci/release.sha256'), 'utf8');
    for (const text of [
      '',
      '# nothing\n',
      `${digest}  other-1-linux-x64.gz\n`,
      pinned.replace(/^[0-9a-f].*\n/gm, ''),
    ]) {
      const ran = await new Job(text).run({ from });
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('pins no release') });
    }
  });
});

describe('the component of GitLab', () => {
  const [spec, job] = parseAllDocuments(readFileSync(join(root, 'templates/gate/template.yml'), 'utf8')).map(
    (document) => document.toJS(),
  ) as [
    { readonly spec: { readonly inputs: Readonly<Record<string, { readonly default?: string | boolean }>> } },
    Readonly<
      Record<
        string,
        { readonly script: readonly string[]; readonly variables: Readonly<Record<string, string>> }
      >
    >,
  ];
  const gate = job['tcf gate'];

  test('is a job', () => {
    expect(gate?.script).toHaveLength(3);
  });

  async function component(
    inputs: Readonly<Record<string, string>>,
    env: Readonly<Record<string, string>> = {},
  ) {
    const path = join(place.path, `gitlab-${readdirSync(place.path).length}`);
    mkdirSync(join(path, 'bin'), { recursive: true });
    writeFileSync(join(path, 'bin/tcf'), fakeTcf);
    chmodSync(join(path, 'bin/tcf'), 0o755);
    const variables = Object.fromEntries(
      Object.entries(gate?.variables ?? {}).map(([key, value]) => [
        key,
        value.replace(
          /\$\[\[ inputs\.([\w-]+) \]\]/g,
          (_, input: string) => inputs[input] ?? String(spec.spec.inputs[input]?.default),
        ),
      ]),
    );
    const script = (gate?.script ?? []).join('\n');
    const ran = await run(
      'bash',
      ['-eo', 'pipefail', '-c', script],
      {
        PATH: `${join(path, 'bin')}:${process.env['PATH']}`,
        TCF_TEST_CALLS: join(path, 'calls'),
        ...variables,
        ...env,
      },
      path,
    );
    const calls = existsSync(join(path, 'calls'))
      ? readFileSync(join(path, 'calls'), 'utf8').trim().split('\n')
      : [];
    return { ...ran, calls };
  }

  const image = `registry.example/app@sha256:${'a'.repeat(64)}`;
  const files = '--sarif gl-tcf.sarif --summary gl-tcf.md';

  test.for<readonly [Record<string, string>, Record<string, string>, number, readonly string[]]>([
    [{ image }, {}, 0, [`gate ${image} ${files}`]],
    [{ image, policy: 'my policy.yaml' }, {}, 0, [`gate ${image} --policy my policy.yaml ${files}`]],
    [{ image, sign: 'true' }, {}, 0, [`gate ${image} ${files}`, `sign ${image}`]],
    [{ image, sign: 'true' }, { TCF_TEST_EXIT: '1' }, 1, [`gate ${image} ${files}`]],
    [{ image: 'registry.example/app:1' }, {}, 3, []],
    [{ image: `$(touch hurt)${image}` }, {}, 0, [`gate $(touch hurt)${image} ${files}`]],
  ])('%j %j', async ([inputs, env, code, calls]) => {
    expect(await component(inputs, env)).toMatchObject({ code, calls });
  });
});

describe('the hooks of pre-commit', () => {
  const hooks = parse(readFileSync(join(root, '.pre-commit-hooks.yaml'), 'utf8')) as readonly {
    readonly id: string;
    readonly entry: string;
    readonly files: string;
  }[];

  test.for([
    [
      'tcf-policy',
      ['.tcf/policy.yaml', 'sub/.tcf/policy.yml'],
      ['policy.yaml', '.tcf/other.yaml', 'x.tcf/policy.yaml'],
    ],
    [
      'tcf-devcontainer',
      ['.devcontainer/devcontainer.json', '.devcontainer.json', '.devcontainer/gpu/devcontainer.json'],
      ['devcontainer.json', '.devcontainer/other.json'],
    ],
  ] as const)('%s looks at %j and not at %j', ([id, wanted, others]) => {
    const pattern = new RegExp(hooks.find((hook) => hook.id === id)?.files ?? 'no such hook');
    expect([...wanted, ...others].filter((path) => pattern.test(path))).toEqual(wanted);
  });

  test.for(hooks.map(({ entry, id }) => [id, entry] as const))(
    '%s asks about each file, and the first no counts',
    async ([id, entry]) => {
      const path = join(place.path, id);
      mkdirSync(join(path, 'bin'), { recursive: true });
      writeFileSync(
        join(path, 'bin/tcf'),
        `#!/bin/sh\necho "$@" >> "${path}/calls"\ncase "$*" in *bad*) exit 1;; esac\n`,
        { mode: 0o755 },
      );
      const env = { PATH: `${join(path, 'bin')}:${process.env['PATH']}` };
      // pre-commit parts the entry as a shell does, and appends the files.
      const call = (...files: readonly string[]) => run('sh', ['-c', `${entry} "$@"`, 'sh', ...files], env);
      expect(await call('one', 'two words')).toMatchObject({ code: 0 });
      expect(await call('bad', 'three')).toMatchObject({ code: 1 });
      const calls = readFileSync(join(path, 'calls'), 'utf8').trim().split('\n');
      expect(
        calls.map((line) =>
          line
            .split(' ')
            .slice(id === 'tcf-policy' ? 2 : 3)
            .join(' '),
        ),
      ).toEqual(['one', 'two words', 'bad']);
    },
  );
});
