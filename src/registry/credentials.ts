import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { collect, decodeBase64, decodeUtf8 } from '../base/bytes.ts';
import { cannotTell, reasonOf } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable } from '../base/text.ts';
import { isMissing } from '../system/errors.ts';
import { runtimeFolder, userFolder } from '../system/folders.ts';
import { programRunner } from '../system/programs.ts';
import type { Credential, Credentials } from './authorize.ts';
import type { Repository } from './contract.ts';
import { askHelper, helperRunner, type RunHelper } from './credential-helper.ts';

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /**
   * The user, for the file that podman writes where no XDG_RUNTIME_DIR is set: root's, and that of services
   * and hooks.
   */
  readonly uid?: number;
  /** Runs credential helpers; the default starts the program. */
  readonly run?: RunHelper;
}

/** An entry has some hundred bytes, with a token of a cloud some thousand: this is room for hundreds. */
const maxCredentialFile = 1024 * 1024;

/** The name under which docker and its helpers keep Docker Hub. */
const hubKey = 'https://index.docker.io/v1/';

/**
 * Finds what the user logged in with, in the files of podman and docker. The first file that knows the
 * repository wins.
 *
 * @throws TcfError `credentials.file` or `credentials.helper` (exit 2) when a file or helper is there and
 *   cannot be used: to go on without it would look like "you may not".
 */
export function openCredentials(sources: CredentialSources): Credentials {
  const { env, run = helperRunner(programRunner(env)) } = sources;
  return async (repository) => {
    for (const path of credentialFiles(sources)) {
      const shape = await readCredentialFile(path, path === env['REGISTRY_AUTH_FILE']);
      const credential = shape && (await lookUp(shape, repository, run));
      if (credential !== undefined) {
        return credential;
      }
    }
    return undefined;
  };
}

/** containers-auth.json(5) as containers/image reads it, then docker's file. */
export function credentialFiles({ env, home, uid }: CredentialSources): readonly string[] {
  const set = (name: string) => (env[name] === '' ? undefined : env[name]);
  const chosen = set('REGISTRY_AUTH_FILE');
  const runtime = runtimeFolder({ env });
  const ofUser = uid === undefined ? undefined : `/run/containers/${uid}`;
  const session = runtime === undefined ? ofUser : join(runtime, 'containers');
  return [
    ...(chosen === undefined ? [] : [chosen]),
    ...[session].flatMap((folder) => (folder === undefined ? [] : [join(folder, 'auth.json')])),
    join(userFolder({ env, home }, 'XDG_CONFIG_HOME'), 'containers', 'auth.json'),
    join(set('DOCKER_CONFIG') ?? join(home, '.docker'), 'config.json'),
  ];
}

/**
 * @param isChosen the user named it: it may be a pipe, or /dev/null. At the usual places these would hold us
 * up for ever, or never end.
 */
async function readCredentialFile(path: string, isChosen: boolean): Promise<Shape | undefined> {
  let bytes: Uint8Array;
  try {
    await using file = await open(path, constants.O_RDONLY | (isChosen ? 0 : constants.O_NONBLOCK));
    if (!isChosen && !(await file.stat()).isFile()) {
      throw new Error('it is not a regular file');
    }
    bytes = await collect(file.createReadStream({ autoClose: false }), maxCredentialFile, 'it');
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw cannotTell('credentials.file', `could not read ${printable(path)}: ${printable(reasonOf(error))}`, {
      hint: 'make the file readable, or name another one in REGISTRY_AUTH_FILE',
    });
  }
  // podman makes it empty before the first login.
  return bytes.length === 0 ? undefined : new Shape(parseJson(bytes, printable(path)), printable(path));
}

async function lookUp(file: Shape, repository: Repository, run: RunHelper): Promise<Credential | undefined> {
  const host = repository.registry;
  const server = host === 'docker.io' ? hubKey : host;
  const helpers = file.optional('credHelpers')?.strings() ?? {};
  const names = [
    Object.hasOwn(helpers, host) ? helpers[host] : undefined,
    file.optional('credsStore')?.string(),
  ];
  for (const name of names) {
    const credential = name ? await askHelper(run, name, server) : undefined;
    if (credential !== undefined) {
      return credential;
    }
  }
  const auths = file.optional('auths');
  return auths && fromAuths(auths, repository);
}

function fromAuths(auths: Shape, { registry, repository }: Repository): Credential | undefined {
  const entries = new Map(Object.keys(auths.record()).map((key) => [toScope(key), key] as const));
  // Whole path components, most specific first: "quay.io/org" is for quay.io/org/repo and never for
  // quay.io/organic.
  const parts = `${registry}/${repository}`.split('/');
  for (let count = parts.length; count > 0; count -= 1) {
    const key = entries.get(parts.slice(0, count).join('/'));
    const credential = key === undefined ? undefined : readEntry(auths.get(key));
    if (credential !== undefined) {
      return credential;
    }
  }
  return undefined;
}

/**
 * Old docker versions wrote the key as an address: `https://quay.io/v1/`. Hosts are compared whole, never by
 * a part.
 */
function toScope(key: string): string {
  if (key === hubKey || key === 'index.docker.io' || key === 'registry-1.docker.io') {
    return 'docker.io';
  }
  return /^https?:\/\/(.*?)(?:\/v[12])?\/?$/.exec(key)?.[1] ?? key;
}

function readEntry(entry: Shape): Credential | undefined {
  const identity = entry.optional('identitytoken')?.string() ?? '';
  if (identity !== '') {
    return { kind: 'identity-token', token: identity };
  }
  const username = entry.optional('username')?.string() ?? '';
  const password = entry.optional('password')?.string() ?? '';
  if (username !== '' && password !== '') {
    return { kind: 'password', username, password };
  }
  const auth = entry.optional('auth')?.string() ?? '';
  if (auth === '') {
    return undefined;
  }
  const bytes = decodeBase64(auth);
  const pair = bytes && decodeUtf8(bytes);
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon < 0) {
    throw cannotTell('credentials.file', `${printable(entry.path)}.auth is not base64 of "user:password"`, {
      hint: 'log in again with podman login or docker login',
    });
  }
  // docker pads the password with NUL in files of some versions.
  return {
    kind: 'password',
    username: pair.slice(0, colon),
    password: pair.slice(colon + 1).replace(/\0+$/, ''),
  };
}
