import { lstatSync } from 'node:fs';
import { broken, type Diagnostic, note, ok } from '../../base/diagnostic.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable } from '../../base/text.ts';
import { credentialFiles } from '../../registry/credentials.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { DoctorCheck } from './check.ts';

const limit = 4 * 1024 * 1024;

/** Where logins are kept: file by file, never what stands in them. */
export const credentials: DoctorCheck = {
  name: 'credentials',
  async examine(host) {
    const files = [...new Set(credentialFiles({ env: host.env, home: host.home, uid: host.uid }))].filter(
      (path) => fileExists(host, path),
    );
    if (files.length === 0) {
      return [
        note('credentials.none', 'no registry has a login; public images need none', 'podman login REGISTRY'),
      ];
    }
    return (await Promise.all(files.map((path) => examineFile(host, path)))).flat();
  },
};

async function examineFile(host: Host, path: string): Promise<readonly Diagnostic[]> {
  const shape = new Shape(parseJson(await readPlainFile(host, path, limit, 'the credentials'), path), path);
  const names = Object.keys(shape.optional('auths')?.record() ?? {});
  const helpers = [
    ...Object.values(shape.optional('credHelpers')?.record() ?? {}),
    shape.optional('credsStore')?.value,
  ]
    .filter((name) => typeof name === 'string' && name !== '')
    .map((name) => `docker-credential-${name}`);
  const gone = [...new Set(helpers)].filter((name) => host.find(name) === undefined);
  const open = (lstatSync(path).mode & 0o077) !== 0 && names.length > 0;
  return [
    ok(
      'credentials.file',
      `${path} knows ${names.length === 0 ? 'no registry by itself' : names.map((name) => printable(name, 100)).join(', ')}`,
    ),
    ...gone.map((name) =>
      broken(
        'credentials.helper',
        `${path} asks ${printable(name)}, which is not on PATH`,
        `install it, or log in without it (podman login)`,
      ),
    ),
    ...(open ? [note('credentials.mode', `others may read ${path}`, `chmod 600 ${path}`)] : []),
  ];
}
