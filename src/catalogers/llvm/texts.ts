import { TcfError } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { printable } from '../../base/text.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { type Claim, type Declaration, repositoryOf } from './claims.ts';
import { lookUp, pinOf, tritonDistributions } from './pins.ts';
import { directoryOf, type Hints, placeOf, roleOfName } from './places.ts';

const observing =
  /\/\.triton\/llvm\/[^/]+\/version\.txt$|^\.triton\/llvm\/[^/]+\/version\.txt$|(?:^|\/)llvm\/(?:Support\/VCSRevision|Config\/llvm-config)\.h$|(?:^|\/)LLVMConfigVersion\.cmake$|(?:^|\/)triton\/backends\/nvidia\/lib\/gsan\.ll$/;
// `llvm-build-info.json` beside them only asks CI for a build: never a pin.
const pinFile = /^(.+)\/cmake\/(?:(?:(?:amd|nvidia)-)?llvm-info\.json|llvm-hash\.txt)$/;
const distInfo = /^(?:(.*)\/)?([\w.]+)-([\w.!+]+)\.dist-info\/(METADATA|direct_url\.json)$/;

/** Whether a text file says something about an LLVM. */
export function isLlvmText(path: string): boolean {
  const dist = distInfo.exec(path);
  if (dist !== null) return tritonDistributions.has(normalName(dist[2] ?? ''));
  return observing.test(path) || pinFile.test(path);
}

/** Roots of Triton source trees that carry a pin file, with their pin files. */
export function checkoutsIn(tree: Tree): ReadonlyMap<string, readonly TreeFile[]> {
  const found = new Map<string, TreeFile[]>();
  for (const file of tree.wanted()) {
    const root = pinFile.exec(file.path)?.[1];
    if (root === undefined || !isTritonTree(tree, root)) continue;
    found.set(root, [...(found.get(root) ?? []), file]);
  }
  return found;
}

/** Another project may have a `cmake/llvm-hash.txt`; only Triton has these beside it. */
function isTritonTree(tree: Tree, root: string): boolean {
  return tree.exists(`${root}/python/triton`) || tree.exists(`${root}/include/triton`);
}

/** Rungs A, C, D and I: what a text file beside an LLVM says about it. */
export function claimIn(file: TreeFile, text: string, hints: Hints): Claim | undefined {
  const { path, layer } = file;
  const about = { path, layer, ...placeOf(path, hints) };
  if (path.endsWith('/version.txt')) {
    const match =
      /^https:\/\/\S{1,200}?\/llvm-builds\/((?:llvm|amd-codegen|nvidia-codegen)-([0-9a-f]{8})-[a-z]+-[a-z0-9]+(?:-\d{1,9})?)\.tar\.gz\s*$/.exec(
        text,
      );
    if (match?.[1] === undefined || match[2] === undefined) return claimOfOldPrebuilt(about, text);
    const role = about.role === 'cache' ? 'cache' : roleOfName(`/${match[1]}`);
    return { ...about, rung: 'A', commit: match[2], prebuilt: match[1], role };
  }
  if (path.endsWith('/VCSRevision.h')) {
    const commit = /^#define LLVM_REVISION "([0-9a-f]{40})"/m.exec(text)?.[1];
    const url = /^#define LLVM_REPOSITORY "(\S{1,300})"/m.exec(text)?.[1];
    const repository = url === undefined ? undefined : repositoryOf(url);
    if (commit === undefined) return undefined;
    return { ...about, rung: 'C', commit, ...(repository === undefined ? {} : { repository }) };
  }
  if (path.endsWith('/gsan.ll')) {
    const match =
      /!\{!"clang version (\d{1,3}\.\d{1,3}\.\d{1,3}\w{0,20}) \((https?:\/\/\S{1,200}) ([0-9a-f]{40})\)"\}/.exec(
        text,
      );
    if (match?.[1] === undefined || match[3] === undefined) return undefined;
    const repository = repositoryOf(match[2] ?? '');
    return {
      ...about,
      rung: 'I',
      version: match[1],
      commit: match[3],
      ...(repository === undefined ? {} : { repository }),
    };
  }
  const version = /^(?:set\(PACKAGE_VERSION|#define LLVM_VERSION_STRING) "(\d{1,3}\.[\w.+-]{1,60})"/m.exec(
    text,
  )?.[1];
  return version === undefined ? undefined : { ...about, rung: 'D', version };
}

/** Triton 2.0 and 2.1 took their prebuilt from a release page whose name has 12 digits of the commit. */
function claimOfOldPrebuilt(
  about: Pick<Claim, 'layer' | 'path' | 'role' | 'site'>,
  text: string,
): Claim | undefined {
  const match =
    /^https:\/\/github\.com\/ptillet\/triton-llvm-releases\/releases\/download\/llvm-(\d{2}\.\d{1,2}\.\d{1,2})-([0-9a-f]{12})\/([\w.+-]{1,100})\.tar\.xz\s*$/.exec(
      text,
    );
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) return undefined;
  return { ...about, rung: 'A', version: match[1], commit: match[2], prebuilt: match[3] };
}

/** Rung B: the name of a prebuilt's directory, known from any file in it. */
export function claimOfDirectory(file: TreeFile, hints: Hints): Claim | undefined {
  const { site, role } = placeOf(file.path, hints);
  const match =
    /\/((?:llvm|amd-codegen|nvidia-codegen)-([0-9a-f]{8})-(?:ubuntu|almalinux|centos|macos|windows)-(?:x64|arm64)(?:-\d{1,9})?)$/.exec(
      site,
    );
  if (match?.[2] === undefined || match[1] === undefined) return undefined;
  return { rung: 'B', path: site, layer: file.layer, site, role, commit: match[2], prebuilt: match[1] };
}

/** Rung K: the pin a source tree declares. One that cannot be read is an unknown pin, never no pin. */
export function pinOfCheckout(
  root: string,
  file: TreeFile,
  text: string | undefined,
  syspath: string | undefined,
): Declaration {
  const { path, layer } = file;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const about = {
    rung: 'K' as const,
    path,
    layer,
    role: roleOfName(name),
    sites: [`${root}/python/triton`, `${root}/triton`, ...(syspath === undefined ? [] : [syspath])],
    prebuilts: true,
  };
  const commit = text === undefined ? undefined : name.endsWith('.json') ? hashIn(text, path) : text.trim();
  if (commit === undefined || !/^[0-9a-f]{7,40}$/.test(commit)) {
    return { ...about, reason: `${printable(path)} holds no commit` };
  }
  const known = lookUp(commit);
  return {
    ...about,
    commit,
    ...(known?.version === undefined ? {} : { version: known.version }),
    ...(known?.repository === undefined ? {} : { repository: known.repository }),
  };
}

function hashIn(text: string, path: string): string | undefined {
  try {
    return new Shape(parseJson(text, path), 'llvm-info').get('llvm_hash').string(100);
  } catch (error) {
    if (error instanceof TcfError) return undefined;
    throw error;
  }
}

/** Rung L: the pin of an installed distribution, by its name and version. */
export function pinOfDistribution(
  tree: Tree,
  file: TreeFile,
  text: string | undefined,
): Declaration | Skipped | undefined {
  const match = distInfo.exec(file.path);
  if (match === null || match[4] !== 'METADATA') return undefined;
  const header = text?.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const name = /^Name:[ \t]*([\w.-]{1,100})[ \t]*$/m.exec(header)?.[1];
  const version = /^Version:[ \t]*([\w.!+-]{1,100})[ \t]*$/m.exec(header)?.[1];
  if (name === undefined || version === undefined) {
    return { path: file.path, reason: 'names no distribution and version' };
  }
  const directory = match[1] ?? '';
  const source = editableSource(tree, directoryOf(file.path));
  const pin = pinOf(normalName(name), version);
  return {
    rung: 'L',
    path: file.path,
    layer: file.layer,
    role: 'core',
    sites:
      source === undefined
        ? [directory === '' ? 'triton' : `${directory}/triton`]
        : [`${source}/python/triton`, `${source}/triton`],
    prebuilts: false,
    ...(pin ?? { reason: `the LLVM that ${name} ${version} pins is not known` }),
  };
}

/** Where an editable install points: `file:///workspace/triton` as `workspace/triton`. */
function editableSource(tree: Tree, directory: string): string | undefined {
  const content = tree.file(`${directory}/direct_url.json`)?.content();
  if (content === undefined) return undefined;
  try {
    const shape = new Shape(parseJson(content, 'direct_url.json'), 'direct_url');
    if (shape.optional('dir_info')?.optional('editable')?.boolean() !== true) return undefined;
    const path = /^file:\/\/\/(.+?)\/*$/.exec(shape.get('url').string(4096))?.[1];
    return path === undefined ? undefined : decodeURIComponent(path).replace(/\/python$/, '');
  } catch (error) {
    // Not JSON, or an escape that is none: the python cataloger says so.
    if (error instanceof TcfError || error instanceof URIError) return undefined;
    throw error;
  }
}

/** PEP 503. */
function normalName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}
