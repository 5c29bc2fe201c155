import { createHash } from 'node:crypto';
import { compact } from '../../base/compact.ts';
import type { StreamScanner } from '../contract.ts';
import { fileHashes } from '../file-hashes.ts';
import { isElf } from '../programs/elf.ts';
import { magics } from '../programs/magics.ts';
import { type Hit, stringFinder } from '../strings.ts';
import { claimedRepository, type Rung } from './claims.ts';
import { isTritonFile, packageOfCore } from './places.ts';

/** One thing a binary says about an LLVM in it. */
export interface BinaryFind {
  readonly rung: Rung;
  readonly offset: number;
  readonly version?: string;
  readonly commit?: string;
  readonly repository?: string;
}

/** What the scanner tells the cataloger about one file. */
export interface LlvmObservation {
  readonly finds: readonly BinaryFind[];
  /** The file stopped the finder too often; there may be more in it. */
  readonly truncated: boolean;
  readonly sha256?: string;
  /** Where the file is an LLVM and nothing else. */
  readonly sha512?: string;
}

/** Different finds kept of one file: a real one has at most 7. */
const maxFinds = 32;
const version = String.raw`\d{2}\.\d{1,3}\.\d{1,3}(?:git|rc\d{1,2})?(?:-[\w.-]{1,40})?`;
/**
 * Where a string of C begins: after the end of another, or after data, of which at least one byte of four is
 * none that a text has. Source code, JSON and dumps of strings inside a program name LLVMs that others hold.
 */
const begins = String.raw`[\0-\x08\x0e-\x1f][^]{0,3}?`;
/** A vendor puts a name before, as in `AMD LLD`; `Linker: LLD` stands in what LLD has linked. */
const vendor = String.raw`(?:[\w.-]{1,30} ){0,3}`;
const versionAndCommit = new RegExp(`${begins}(?<![\\w.])(${version}) $`);
const lld = new RegExp(
  String.raw`${begins}${vendor}LLD (\d{1,3}\.\d{1,3}\.\d{1,3}) \((https?:\/\/\S{1,200}?)(?: [\w.-]{1,30}){0,3} $`,
);
const toolVersion = new RegExp(`${begins}${vendor}LLVM version (${version}) \\($`);
const stringBegins = new RegExp(`${begins}$`);
const identification = new RegExp(`^LLVM(${version})\\0`);
const basedOn = new RegExp(String.raw`${begins}${vendor}[\w.-]{1,30} \(based on $`);
const machineCode = new RegExp(`^LLVM (${version})\\)\\0`);
const sonamePattern = /(?:^|\/)libLLVM(?:-|\.so\.)(\d{1,3}(?:\.\d{1,3}){0,2})/;

/**
 * Files whose own hash is worth its time: hashing every ELF file of an image would double the time of a scan.
 */
function hashing(
  path: string,
): (Pick<ReturnType<typeof fileHashes>, 'push'> & { end(): { readonly sha256: string } }) | undefined {
  if (!isTritonFile(path)) {
    return undefined;
  }
  const hash = createHash('sha256');
  return { push: (chunk) => void hash.update(chunk), end: () => ({ sha256: hash.digest('hex') }) };
}

/**
 * Scans an ELF file or a static library for the strings by which LLVM names itself. A file is an LLVM, or
 * holds one, if it has a string of C that only LLVM's own code carries, whole: the version with the commit,
 * LLD's version line, the identification block that the bitcode writer emits (`LLVM14.0.6\0`) or the producer
 * of the assembler (`llvm-mc (based on LLVM 14.0.6)`). A bare `LLVM version 14.0.6` is not enough: debuggers
 * and build tools print such words about others. Bitcode (`*.bc`) names its compiler, not its content.
 */
export function scanForLlvm(path: string, head: Uint8Array): StreamScanner<LlvmObservation> | undefined {
  if (!(isElf(head) || isStaticLibrary(path, head)) || path.endsWith('.bc')) {
    return undefined;
  }
  const finds = new Map<string, BinaryFind>();
  const keep = (find: BinaryFind | undefined): void => {
    if (find === undefined || finds.size >= maxFinds) {
      return;
    }
    const { offset: _, ...said } = find;
    const key = JSON.stringify(said);
    if (!finds.has(key)) {
      finds.set(key, find);
    }
  };
  const soname = sonamePattern.exec(path)?.[1];
  if (soname !== undefined) {
    keep({ rung: 'N', offset: 0, version: soname });
  }
  const bareVersions = isTritonFile(path);
  const codegen = /(?:^|\/)libtriton_(?:amd|nvidia)_codegen[^/]*$/.test(path);
  const hash = soname === undefined ? hashing(path) : fileHashes();
  const llvm = stringFinder({
    anchors: ['LLVM'],
    // Not MLIR's class names, of which libtriton.so has thousands: `4LLVM10FuncOp`.
    followedBy: /^ ?\d\d\.\d/,
    commits: true,
    onHit: (hit) => keep(findAt(hit, codegen)),
  });
  // Version strings without any other word: too weak a sign anywhere but in the files that Triton builds.
  const bare = bareVersions
    ? stringFinder({ anchors: ['git\0'], commits: false, onHit: (hit) => keep(bareVersionAt(hit)) })
    : undefined;
  return {
    push(chunk) {
      hash?.push(chunk);
      llvm.push(chunk);
      bare?.push(chunk);
    },
    end() {
      const truncated = [llvm.end(), bare?.end()].some((end) => end?.truncated === true);
      // Triton always links LLVM in: a core library that says nothing is an LLVM of which nothing is known.
      if (finds.size === 0 && !truncated && packageOfCore(path) === undefined) {
        return undefined;
      }
      const seen: LlvmObservation = {
        finds: [...finds.values()],
        truncated,
        ...hash?.end(),
      };
      return { ...seen };
    },
  };
}

/** A `.deb` has the same first bytes. */
function isStaticLibrary(path: string, head: Uint8Array): boolean {
  const start = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  return path.endsWith('.a') && magics.archive.some((magic) => start.startsWith(magic));
}

function findAt({ text, at, offset }: Hit, codegen: boolean): BinaryFind | undefined {
  const before = text.slice(0, at);
  const rest = text.slice(at);
  if (rest.startsWith('LLVM')) {
    const found =
      (stringBegins.test(before) && !/[\w.-]$/.test(before) ? identification.exec(rest) : null) ??
      (basedOn.test(before) ? machineCode.exec(rest) : null);
    return found?.[1] === undefined ? undefined : { rung: 'G', offset, version: found[1] };
  }
  const commit = rest.slice(0, 40);
  const after = rest.slice(40);
  const both = after.startsWith('\0') ? versionAndCommit.exec(before) : null;
  if (both?.[1] !== undefined) {
    return { rung: 'E', offset, version: both[1], commit };
  }
  const linker = after.startsWith(')\0') ? lld.exec(before) : null;
  if (linker?.[1] !== undefined) {
    const repository = claimedRepository(linker[2] ?? '');
    return compact({
      rung: 'F',
      offset,
      version: linker[1],
      commit,
      repository,
    });
  }
  const tool = after.startsWith(')\0') ? toolVersion.exec(before) : null;
  if (tool?.[1] !== undefined) {
    return { rung: 'F2', offset, version: tool[1], commit };
  }
  if (codegen && /^-\d{1,9}(?!\w)/.test(after)) {
    return { rung: 'H', offset, commit };
  }
  return undefined;
}

function bareVersionAt({ text, at, offset }: Hit): BinaryFind | undefined {
  const found = /\0(\d{2}\.\d{1,3}\.\d{1,3})$/.exec(text.slice(0, at));
  return found?.[1] === undefined ? undefined : { rung: 'J', offset, version: `${found[1]}git` };
}
