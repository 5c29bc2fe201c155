import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/*
 * What a person sees: the real program in a real terminal, which is tmux (Debian's). Golden files lie in
 * golden/.
 */

const root = join(import.meta.dirname, '../..');
const place = folder();
let registry: TestRegistry;
let slow: TestRegistry;
const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

beforeAll(async () => {
  mkdirSync(join(place.path, 'home'));
  registry = await startRegistry();
  slow = await startRegistry({ jitter: 1, sleep: () => wait(1500) });
  await pushDemoImage({ host: registry.host, repository: 'triton-dev', tag: '1' });
  await pushDemoImage({ host: slow.host, repository: 'triton-dev', tag: '1' });
}, 60_000);
afterAll(async () => {
  await registry.close();
  await slow.close();
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
  tmux('new-session', '-d', '-x', `${columns}`, '-y', '80', 'sh', '-c', line);
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
