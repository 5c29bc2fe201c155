import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';
import { type SigstoreServer, startSigstore } from '../support/sigstore.ts';

/*
 * What a person sees: the real program in a real terminal, which is tmux (Debian's). Golden files lie in
 * golden/.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
let registry: TestRegistry;
let slow: TestRegistry;
let sigstore: SigstoreServer;
const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

beforeAll(async () => {
  mkdirSync(join(place.path, 'home'));
  registry = await startRegistry();
  slow = await startRegistry({ jitter: 1, sleep: () => wait(1500) });
  await pushDemoImage({ host: registry.host, repository: 'triton-dev', tag: '1' });
  await pushDemoImage({ host: slow.host, repository: 'triton-dev', tag: '1' });
  // The log is asked beside the authority for timestamps, and is seen once that has answered.
  sigstore = await startSigstore({ pause: (line) => wait(line.includes('log') ? 3600 : 1700) });
  writeKeyPair(place.path, 'team');
  for (const [file, content] of [
    ['policy.yaml', keyPolicy(slow.host, 'signed: { by: [team] }')],
    ['artifact', 'hello'],
    ['root.json', sigstore.trustedRoot],
    ['config.json', sigstore.signingConfig(2)],
  ] as const) {
    writeFileSync(join(place.path, file), content);
  }
}, 60_000);
afterAll(async () => {
  await registry.close();
  await slow.close();
  await sigstore[Symbol.asyncDispose]();
  place[Symbol.dispose]();
});

interface Screen {
  readonly columns: number;
  readonly env?: Readonly<Record<string, string>>;
  /** With the sequences for colours. */
  readonly colors?: boolean;
}

/** Every screen that was seen until the program ended, the last one whole. */
async function see(args: string, { colors = false, columns, env = {} }: Screen): Promise<readonly string[]> {
  const socket = join(place.path, `tmux-${Math.random().toString(36).slice(2)}`);
  const tmux = (...words: readonly string[]) =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const given = Object.entries({
    PATH: '/usr/bin:/bin',
    HOME: join(place.path, 'home'),
    LANG: 'C.UTF-8',
    ...env,
  });
  const variables = given.map(([name, value]) => `${name}=${value}`).join(' ');
  const line = `env -i TERM=tmux-256color ${variables} ${process.execPath} ${join(root, 'src/main.ts')} ${args}; echo ENDED $?; sleep 100`;
  tmux('new-session', '-d', '-x', `${columns}`, '-y', '80', '-c', place.path, 'sh', '-c', line);
  const screens: string[] = [];
  try {
    for (let turn = 0; turn < 600; turn += 1) {
      const screen = tmux('capture-pane', '-p', ...(colors ? ['-e'] : [])).replace(/\n+$/, '\n');
      if (screen !== screens.at(-1)) {
        screens.push(screen);
      }
      if (screen.includes('ENDED')) {
        return screens;
      }
      await wait(50);
    }
    throw new Error(`it did not end:\n${screens.at(-1)}`);
  } finally {
    tmux('kill-server');
  }
}

function expectGolden(file: string, screen: string): void {
  const golden = join(import.meta.dirname, 'golden', file);
  const shown = screen.replaceAll(registry.host, '127.0.0.1:50000').replaceAll('\u001b', '\\e');
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(join(golden, '..'), { recursive: true });
    writeFileSync(golden, shown);
  }
  expect(shown).toBe(readFileSync(golden, 'utf8'));
}

describe.for([
  ['80', { columns: 80 }],
  ['200', { columns: 200 }],
  ['no-color', { columns: 80, env: { NO_COLOR: '1' }, colors: true }],
  ['color', { columns: 80, colors: true }],
  ['dumb', { columns: 80, env: { TERM: 'dumb' }, colors: true }],
  ['force-color', { columns: 80, env: { TERM: 'dumb', FORCE_COLOR: '1' }, colors: true }],
] as const)('%s', ([name, screen]) => {
  test.for(['sbom', 'tree', 'licenses'] as const)('tcf %s', async (verb) => {
    const [last = ''] = (await see(`${verb} ${registry.host}/triton-dev:1 --allow-http`, screen)).slice(-1);
    for (const line of last.split('\n')) {
      const visible = line.replaceAll(/\u001b\[[\d;]*m/g, '');
      expect(visible.length).toBeLessThanOrEqual(screen.columns);
    }
    if (name === 'no-color' || name === 'dumb') {
      expect(last).not.toContain('\u001b');
    }
    expectGolden(`${verb}-${name}.txt`, last);
  });
});

/** What was waited for, each line once, with the numbers that differ from run to run taken out. */
function waits(screens: readonly string[]): string {
  const lines = screens.flatMap((screen) =>
    screen.split('\n').filter((line) => line.startsWith('waiting for')),
  );
  return [
    ...new Set(
      lines.map((line) => line.replace(/127\.0\.0\.1:\d+/, '127.0.0.1:50000').replace(/ {2}\d+ s/, '  N s')),
    ),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

describe.for([
  ['80', { columns: 80 }],
  ['200', { columns: 200 }],
  ['40', { columns: 40 }],
  ['dumb', { columns: 80, env: { TERM: 'dumb' } }],
] as const)('what is waited for: %s', ([name, screen]) => {
  test('a registry that takes its time', async () => {
    const screens = await see(`verify ${slow.host}/triton-dev:1 --policy policy.yaml --allow-http`, screen);
    expectGolden(`waiting-verify-${name}.txt`, waits(screens));
    expect(screens.at(-1)?.includes('waiting for')).toBe(name === 'dumb');
  });

  test('the token, the certificate, the logs and the clock of a signature', async () => {
    const args = [
      '--signing-config',
      'config.json',
      '--trusted-root',
      'root.json',
      '--bundle',
      `${name}.json`,
    ];
    const screens = await see(`sign-bundle artifact ${args.join(' ')}`, {
      ...screen,
      env: {
        ACTIONS_ID_TOKEN_REQUEST_URL: sigstore.urls.tokens,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
        ...('env' in screen ? screen.env : {}),
      },
    });
    expect(screens.at(-1)).toContain('ENDED 0');
    expectGolden(`waiting-sign-${name}.txt`, waits(screens));
  });
});

describe('reading takes its time', () => {
  test('the terminal says how far it is, and nothing of that is left', async () => {
    const screens = await see(`sbom ${slow.host}/triton-dev:1 --allow-http`, { columns: 80 });
    expect(screens.filter((screen) => /^reading layer \d of 2/m.test(screen)).length).toBeGreaterThan(0);
    expect(screens.at(-1)).not.toContain('reading layer');
    expect(screens.at(-1)).toMatch(/^triton-dev {2}linux\/amd64/);
  });

  test('a dumb terminal is told once, in a line that stays', async () => {
    const screens = await see(`sbom ${slow.host}/triton-dev:1 --allow-http`, {
      columns: 80,
      env: { TERM: 'dumb' },
    });
    expect(screens.at(-1)?.match(/^reading layer \d of 2/gm)).toHaveLength(1);
  });

  test('a pipe is told nothing', async () => {
    const screens = await see(`sbom ${slow.host}/triton-dev:1 --allow-http 2>&1 >/dev/null | cat`, {
      columns: 80,
    });
    expect(screens.join('')).not.toContain('reading layer');
    expect(screens.at(-1)).toContain('wrote 9 components');
  });
});
