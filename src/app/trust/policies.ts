import { dirname, join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { draftPolicy, type Policy } from '../../policy/document.ts';
import { fileExists, readPlainFile, readUserFile } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { machinePolicy, maxKey } from './trust.ts';

/** A policy is written by hand; one with hundreds of scopes has some ten KiB. */
const maxPolicy = 1024 * 1024;

/**
 * Every policy that applies, in the order machine, user, command line, project. All of them have to allow an image, so the project's own can
 * only tighten.
 *
 * @throws TcfError `policy.none` (exit 3) where there is none at all; `policy.malformed`, `file.unreadable` (exit 3).
 */
export async function loadPolicies(host: Host, given: string | undefined): Promise<readonly Policy[]> {
  const asked = given ?? host.env['TCF_POLICY'];
  const standing = [machinePolicy(host), join(configFolder(host), 'policy.yaml')].filter((path) =>
    fileExists(host, path),
  );
  const project = projectPolicy(host);
  const files = [
    ...standing,
    ...(asked === undefined ? [] : [asked]),
    ...(project === undefined ? [] : [project]),
  ];
  // A project that comes with images must not be the one who says which images are good.
  if (files.length === 0 || (files.length === 1 && files[0] === project && asked === undefined)) {
    throw askedWrongly(
      'policy.none',
      project === undefined
        ? 'there is no policy'
        : `the only policy is that of the project, ${quoted(project)}`,
      {
        hint: 'name one with --policy FILE or TCF_POLICY, or put one into /etc/tcf/policy.yaml or ~/.config/tcf/policy.yaml',
      },
    );
  }
  return await Promise.all(
    [...new Set(files)].map((file) => loadPolicy(host, file, file === asked ? readUserFile : readPlainFile)),
  );
}

/** @param read how: only what the user typed may be a pipe. */
export async function loadPolicy(
  host: Host,
  path: string,
  read: typeof readUserFile = readUserFile,
): Promise<Policy> {
  const text = decodeUtf8(await read(host, path, maxPolicy, 'the policy'));
  if (text === undefined) throw askedWrongly('policy.malformed', `${quoted(path)} is not UTF-8`);
  const folder = dirname(resolve(host.cwd, path));
  const keyFiles: Record<string, string> = {};
  const draft = draftPolicy(text, path);
  for (const name of draft.keyFiles) {
    keyFiles[name] = Buffer.from(
      await readPlainFile(host, resolve(folder, name), maxKey, 'the key'),
    ).toString('latin1');
  }
  const { compile } = draft.cel ? await import('../../policy/cel.ts') : {};
  const policy = draft.complete({ keyFiles, ...(compile === undefined ? {} : { compile }) });
  const { root } = policy.trust;
  return root === undefined ? policy : { ...policy, trust: { ...policy.trust, root: resolve(folder, root) } };
}

/** `.tcf/policy.yaml` of the current folder or the nearest one above that has it. */
function projectPolicy(host: Host): string | undefined {
  for (let folder = host.cwd; ; folder = dirname(folder)) {
    const path = join(folder, '.tcf/policy.yaml');
    if (fileExists(host, path)) return path;
    if (folder === dirname(folder)) return undefined;
  }
}
