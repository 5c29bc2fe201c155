import { expect, test } from 'vitest';
import type { Host } from '../../src/system/host.ts';
import { startProgress } from '../../src/system/progress.ts';
import { testHost } from '../support/host.ts';

/** A terminal whose clock moves with its sleeps and by hand. */
function terminal(options: {
  readonly terminal?: boolean;
  readonly term?: string;
  readonly columns?: number;
}) {
  let now = 0;
  const host = testHost({
    cwd: '/nowhere',
    terminal: options.terminal ?? true,
    env: { TERM: options.term ?? 'xterm' },
  });
  const moving: Host = Object.create(host, {
    now: { value: () => new Date(now) },
    stderr: { value: Object.create(host.stderr, { columns: { value: options.columns } }) },
  });
  const pass = (ms: number) => {
    now += ms;
  };
  return { host: moving, pass, written: host.all };
}

test('nothing is shown in the first second', async () => {
  const { host, pass, written } = terminal({});
  {
    await using progress = startProgress(host, () => 'working');
    pass(999);
    progress.touch();
  }
  expect(written()).toBe('');
});

test('the line is drawn from a second on, at most ten times a second, and is gone at the end', async () => {
  const { host, pass, written } = terminal({});
  {
    await using progress = startProgress(host, (columns) => `working in ${columns}`);
    pass(1000);
    for (let at = 0; at < 50; at += 1) {
      progress.touch();
    }
    pass(100);
    progress.touch();
  }
  const drawn = '\rworking in 79\u001b[K\r';
  expect(written()).toBe(`${drawn}${drawn}\r\u001b[K`);
});

test('what is written meanwhile stands on a line of its own', async () => {
  const { host, pass, written } = terminal({ columns: 40 });
  {
    await using progress = startProgress(host, (columns) => `working in ${columns}`);
    pass(1000);
    progress.touch();
    await progress.host.stderr.write('tcf: warning: heard\n');
    await progress.host.stderr.write('tcf: warning: again\n');
  }
  expect(written()).toBe('\rworking in 39\u001b[K\r\r\u001b[Ktcf: warning: heard\ntcf: warning: again\n');
});

test('a dumb terminal is told once, without control characters', async () => {
  const { host, pass, written } = terminal({ term: 'dumb' });
  {
    await using progress = startProgress(host, () => 'working');
    for (let at = 0; at < 5; at += 1) {
      pass(1000);
      progress.touch();
    }
  }
  expect(written()).toBe('working\n');
});

test('a pipe is told nothing', async () => {
  const { host, pass, written } = terminal({ terminal: false });
  {
    await using progress = startProgress(host, () => 'working');
    pass(60_000);
    progress.touch();
  }
  expect(written()).toBe('');
});
