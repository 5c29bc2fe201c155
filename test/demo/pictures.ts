import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { reportImage } from '../../src/app/report-image.ts';
import { compact } from '../../src/base/compact.ts';
import { main } from '../../src/cli.ts';
import { toOverviewText } from '../../src/report/inside/overview-text.ts';
import { escapeHtml } from '../../src/report/page/html.ts';
import { toPage } from '../../src/report/page/page.ts';
import { paintPage } from '../../src/system/terminal.ts';
import { folder, testHost } from '../support/host.ts';

/*
 * Makes the pictures of the README: `npm run pictures -- IMAGE [BASE]`, with an image of podman's store and
 * the one it was built on (those of the end-to-end tests will do). It is signed with a new key, in a folder
 * that goes away, and a policy is made from that; then the page is looked at with Debian's chromium (CHROMIUM
 * names another one).
 */

const [image = '', base] = process.argv.slice(2);
const pictures = join(import.meta.dirname, '../../docs/pictures');
const shownName = 'registry.example/triton-dev:3.6';

using place = folder();
const name = `containers-storage:${image}`;
const match = image.replace(/:[^/]*$/, '');
const host = testHost({
  cwd: place.path,
  env: { COSIGN_PASSWORD: 'demo', CONTAINERS_STORAGE_CONF: '/etc/containers/storage.conf' },
  now: new Date(),
});
const baseName = base === undefined ? undefined : `containers-storage:${base}`;
const baseFlags = baseName === undefined ? [] : ['--base', baseName];
for (const line of [
  ['keygen', '--output-key-prefix', 'team'],
  ['sbom', name, '-o', 'bom.json', ...baseFlags],
  ['sign', name, '--key', 'team.key', '--sbom', 'bom.json'],
  ['policy', 'init', name, '--key', 'team.pub', '--match', match],
]) {
  if ((await main(line, host)) !== 0) {
    throw new Error(host.err());
  }
}
const facts = await reportImage(host, compact({ source: name, policy: 'policy.yaml', base: baseName }));
const toShown = (text: string): string =>
  text
    .replaceAll(name, shownName)
    .replaceAll(match, shownName.replace(/:[^:]*$/, ''))
    .replaceAll('tcf-e2e', 'triton-dev');
const page = toShown(toPage({ ...facts, name: shownName }));
const terminal = paintPage(toShown(toOverviewText(facts.contents, shownName, 92)), { hasColor: true });

mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  await picture(browser, page, 'report.jpg', { width: 1280, height: 860 });
  await picture(browser, terminalPage(terminal), 'terminal.jpg', { width: 860, height: 640 }, '#screen');
} finally {
  await browser.close();
}

async function picture(
  browser: Browser,
  html: string,
  file: string,
  viewport: { readonly width: number; readonly height: number },
  only?: string,
): Promise<void> {
  const source = join(place.path, 'page.html');
  writeFileSync(source, html);
  const tab = await browser.newPage({ viewport, colorScheme: 'light', deviceScaleFactor: 1 });
  await tab.goto(pathToFileURL(source).href);
  await tab.waitForTimeout(500);
  const options = { path: join(pictures, file), type: 'jpeg', quality: 80 } as const;
  await (only === undefined ? tab.screenshot(options) : tab.locator(only).screenshot(options));
  await tab.close();
}

/** What a terminal shows, with its colours, as a page. */
function terminalPage(text: string): string {
  const colors: Readonly<Record<string, string>> = {
    '1': '<b>',
    '31': '<b class="no">',
    '32': '<b class="yes">',
    '33': '<b class="maybe">',
    '0': '</b>',
  };
  const body = escapeHtml(text).replaceAll(/\u001b\[(\d+)m/g, (_, code: string) => colors[code] ?? '');
  return `<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #fff } #screen { background: #11151c; color: #d7dde6; padding: 14px 22px 20px; border-radius: 12px; width: max-content;
font: 13.5px/1.45 "DejaVu Sans Mono", "Liberation Mono", monospace } pre { margin: 10px 0 0; font: inherit } b { color: #fff } .yes { color: #5fd49a } .no { color: #ff8a80 } .maybe { color: #f2bf5e }
i { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 6px; background: #3b4350 }
</style><div id="screen"><i></i><i></i><i></i><pre>$ tcf sbom ${shownName}\n${body}</pre></div>`;
}
