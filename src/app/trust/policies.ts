import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { draftPolicy, type Policy, type PolicyOrigin } from '../../policy/document.ts';
import { isSystemError } from '../../system/errors.ts';
import { fileExists, readPlainFile, readUserFile } from '../../system/files.ts';
import { configFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { machinePolicy, maxKey, maxPolicy } from './trust.ts';

/**
 * Every policy that applies, in the order machine, user, command line, project. All of them have to allow an
 * image, so the project's own can only tighten.
 *
 * @throws TcfError `policy.none` (exit 3) where there is none at all; `policy.malformed`, `file.unreadable`
 * (exit 3).
 */
export async function loadPolicies(host: Host, given: string | undefined): Promise<readonly Policy[]> {
  const asked = given ?? host.env['TCF_POLICY'];
  const found = [
    ...standing(host, 'machine', machinePolicy(host)),
    ...standing(host, 'user', join(configFolder(host), policyFile)),
    ...(asked === undefined ? [] : [{ origin: 'given' as const, path: asked }]),
    ...ofProject(host),
  ];
  const project = found.find(({ origin }) => origin === 'project');
  // A project that comes with images must not be the one who says which images are good.
  if (found.every(({ origin }) => origin === 'project')) {
    throw askedWrongly(
      'policy.none',
      project === undefined
        ? 'there is no policy'
        : `the only policy is that of the project, ${quoted(project.path)}`,
      {
        hint: 'name one with --policy FILE or TCF_POLICY, or put one into /etc/tcf/policy.yaml or ~/.config/tcf/policy.yaml',
      },
    );
  }
  // The first that has a path counts: the policy of the machine stays that of the machine where a user names
  // it too.
  const distinct = found.filter(({ path }, at) => found.findIndex((other) => other.path === path) === at);
  return await Promise.all(
    distinct.map(({ origin, path }) =>
      loadPolicy(host, path, { origin, read: path === asked ? readUserFile : readPlainFile }),
    ),
  );
}

interface PolicyPlace {
  readonly origin: PolicyOrigin;
  readonly path: string;
}

const policyFile = 'policy.yaml';

/** @throws TcfError `policy.misnamed` (exit 3). */
function standing(host: Host, origin: PolicyOrigin, path: string): readonly PolicyPlace[] {
  refuseMisnamed(dirname(path));
  return fileExists(host, path) ? [{ origin, path }] : [];
}

/** A policy that nobody reads looks like protection: `policy.yml`, `policy.json`, `Policy.yaml`. */
function refuseMisnamed(folder: string): void {
  const wrong = namesIn(folder).find(
    (name) => name !== policyFile && /^polic(?:y|ies)(?:\.(?:ya?ml|json))?(?:\.txt)?$/i.test(name),
  );
  if (wrong === undefined) {
    return;
  }
  throw askedWrongly('policy.misnamed', `${quoted(join(folder, wrong))} is not read as a policy`, {
    hint: `rename it to ${policyFile}, which may hold YAML or JSON`,
  });
}

/** Names of the files in a folder; none where there is no folder, or one that is not ours to list. */
function namesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (isSystemError(error)) {
      return [];
    }
    throw error;
  }
}

/** @param how where it comes from, and how it is read: only what the user typed may be a pipe. */
export async function loadPolicy(
  host: Host,
  path: string,
  { origin = 'given', read = readUserFile }: { origin?: PolicyOrigin; read?: typeof readUserFile } = {},
): Promise<Policy> {
  const text = decodeUtf8(await read(host, path, maxPolicy, 'the policy'));
  if (text === undefined) {
    throw askedWrongly('policy.malformed', `${quoted(path)} is not UTF-8`);
  }
  const folder = dirname(resolve(host.cwd, path));
  const keyFiles: Record<string, string> = {};
  const draft = draftPolicy(text, path);
  for (const name of draft.keyFiles) {
    keyFiles[name] = Buffer.from(
      await readPlainFile(host, resolve(folder, name), maxKey, 'the key'),
    ).toString('latin1');
  }
  const { compile } = draft.cel ? await import('../../policy/cel.ts') : {};
  const policy = draft.complete(compact({ keyFiles, origin, compile }));
  const { root } = policy.trust;
  return root === undefined ? policy : { ...policy, trust: { ...policy.trust, root: resolve(folder, root) } };
}

/**
 * `.tcf/policy.yaml` of the current folder or the nearest one above that has it. @throws TcfError
 * `policy.misnamed` (exit 3).
 */
function ofProject(host: Host): readonly PolicyPlace[] {
  for (let folder = host.cwd; ; folder = dirname(folder)) {
    const [place] = standing(host, 'project', join(folder, '.tcf', policyFile));
    if (place !== undefined) {
      return [place];
    }
    if (folder === dirname(folder)) {
      return [];
    }
  }
}
