import { cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable, quoted } from '../../base/text.ts';
import { normalName } from '../../catalogers/python/metadata.ts';
import type { Host } from '../../system/host.ts';
import type { Lock, LockedWheel } from './lock.ts';
import type { Mirrors } from './mirrors.ts';
import { pipIndex, pipTarget } from './wheels.ts';

/** A report repeats the metadata of each wheel; descriptions have 100 KB. */
const reportLimit = 64 * 1024 * 1024;
const pipTimeout = 15 * 60_000;

export interface PythonRequest {
  readonly mirrors: Mirrors;
  /** `3.13`. */
  readonly version: string;
  readonly platform: Lock['platform'];
  /** Requirements as pip takes them. */
  readonly want: readonly string[];
}

/**
 * Asks pip which wheels the requirements need today; nothing is installed, and sources are not taken. pip
 * reads markers such as `python_version` with the Python that runs it, so that one should be near the one of
 * the image.
 *
 * @throws TcfError `lock.pip` (exit 2).
 */
export async function resolvePython(
  host: Host,
  { mirrors, platform, version, want }: PythonRequest,
): Promise<readonly LockedWheel[]> {
  if (want.length === 0) {
    return [];
  }
  const ran = await host.program(
    'python3',
    [
      ...['-m', 'pip', 'install', '--dry-run', '--ignore-installed', '--quiet', '--report', '-'],
      ...pipIndex(mirrors),
      ...pipTarget(version, platform),
      ...['--target', '/nonexistent', ...want],
    ],
    new Uint8Array(),
    { timeout: pipTimeout, output: reportLimit },
  );
  if (ran.code !== 0) {
    throw cannotTell(
      'lock.pip',
      `pip found no wheels for ${want.map(quoted).join(', ')}: ${printable(ran.stderr.trim(), 2000)}`,
      {
        hint: 'check the requirements under want.python, and that pip is 23 or newer',
      },
    );
  }
  const report = new Shape(
    parseJson(ran.stdout, 'the report of pip', { ...jsonLimits.document, maxBytes: reportLimit }),
    'the report of pip',
  );
  return toWheels(report);
}

function toWheels(report: Shape): readonly LockedWheel[] {
  const installs = report.get('install').list(10_000);
  const needs = installs.map((install) => {
    const metadata = install.get('metadata');
    return {
      name: normalName(metadata.get('name').string(200)),
      isAsked: install.get('requested').boolean(),
      requires: (metadata.optional('requires_dist')?.list(10_000) ?? []).map((each) =>
        normalName(/^[\w.-]+/.exec(each.string(1000))?.[0] ?? ''),
      ),
    };
  });
  return installs.map((install, index) => {
    const { isAsked = true, name = '' } = needs[index] ?? {};
    const download = install.get('download_info');
    const parent = isAsked ? undefined : needs.find(({ requires }) => requires.includes(name))?.name;
    return {
      name,
      version: install.get('metadata').get('version').string(200),
      sha256: download.get('archive_info').get('hashes').get('sha256').string(64),
      file: decodeURIComponent(download.get('url').string(2000).split(/[?#]/)[0]?.split('/').at(-1) ?? ''),
      ...(parent === undefined ? {} : { for: parent }),
    };
  });
}
