import { compact } from '../../base/compact.ts';
import type { TreeFile } from '../contract.ts';
import { isPinFile, pinPlaces } from './checkouts.ts';
import { type Claim, claimedRepository } from './claims.ts';
import { installationTexts, isInstallationText } from './packages.ts';
import { type Hints, placeOf, roleOfName } from './places.ts';

const observing =
  /\/\.triton\/llvm\/[^/]+\/version\.txt$|^\.triton\/llvm\/[^/]+\/version\.txt$|(?:^|\/)llvm\/(?:Support\/VCSRevision|Config\/llvm-config)\.h$|(?:^|\/)LLVMConfigVersion\.cmake$|\/backends\/nvidia\/lib\/gsan\.ll$/;

/** Texts that say something about an LLVM. */
export const llvmTexts: readonly string[] = [
  '**/.triton/llvm/*/version.txt',
  '**/llvm/Support/VCSRevision.h',
  '**/llvm/Config/llvm-config.h',
  '**/LLVMConfigVersion.cmake',
  '**/backends/nvidia/lib/gsan.ll',
  ...pinPlaces,
  ...installationTexts,
];

/** Whether a text file, one of `llvmTexts`, says something about an LLVM. */
export function isLlvmText(path: string): boolean {
  return isObserving(path) || isPinFile(path) || isInstallationText(path);
}

/** Whether it describes an LLVM that lies beside it; the others say which LLVM ought to be somewhere. */
export function isObserving(path: string): boolean {
  return observing.test(path);
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
    if (match?.[1] === undefined || match[2] === undefined) {
      return claimOfOldPrebuilt(about, text);
    }
    const role = about.role === 'cache' ? 'cache' : roleOfName(`/${match[1]}`);
    return { ...about, rung: 'A', commit: match[2], prebuilt: match[1], role };
  }
  if (path.endsWith('/VCSRevision.h')) {
    const commit = /^#define LLVM_REVISION "([0-9a-f]{40})"/m.exec(text)?.[1];
    const url = /^#define LLVM_REPOSITORY "(\S{1,300})"/m.exec(text)?.[1];
    const repository = url === undefined ? undefined : claimedRepository(url);
    if (commit === undefined) {
      return undefined;
    }
    return { ...about, rung: 'C', ...compact({ commit, repository }) };
  }
  if (path.endsWith('/gsan.ll')) {
    const match =
      /!\{!"clang version (\d{1,3}\.\d{1,3}\.\d{1,3}\w{0,20}) \((https?:\/\/\S{1,200}) ([0-9a-f]{40})\)"\}/.exec(
        text,
      );
    if (match?.[1] === undefined || match[3] === undefined) {
      return undefined;
    }
    const repository = claimedRepository(match[2] ?? '');
    return {
      ...about,
      rung: 'I',
      version: match[1],
      commit: match[3],
      ...compact({ repository }),
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
  if (match?.[1] === undefined || match[2] === undefined || match[3] === undefined) {
    return undefined;
  }
  return { ...about, rung: 'A', version: match[1], commit: match[2], prebuilt: match[3] };
}

/** Rung B: the name of a prebuilt's directory, known from any file in it. */
export function claimOfDirectory(file: TreeFile, hints: Hints): Claim | undefined {
  const { site, role } = placeOf(file.path, hints);
  const match =
    /\/((?:llvm|amd-codegen|nvidia-codegen)-([0-9a-f]{8})-(?:ubuntu|almalinux|centos|macos|windows)-(?:x64|arm64)(?:-\d{1,9})?)$/.exec(
      site,
    );
  if (match?.[2] === undefined || match[1] === undefined) {
    return undefined;
  }
  return { rung: 'B', path: site, layer: file.layer, site, role, commit: match[2], prebuilt: match[1] };
}
