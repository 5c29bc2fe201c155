import type { Command } from 'commander';
import { type ImageBuildRequest, localBuilder } from '../../app/build/build.ts';
import type { BuildCheckRequest } from '../../app/build/check.ts';
import { buildEngines } from '../../app/build/engine.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import type { Host } from '../../system/host.ts';
import { choiceOption, type Options, textOption } from './bag.ts';
import { declareInputOptions, readStoreRequest } from './inputs.ts';
import { declareNetworkOptions } from './network.ts';
import { declareSigningOptions, readSigningRequest } from './signing.ts';

export function declareBuildOptions(command: Command): void {
  command
    .argument('<image>', 'base, cpu, cuda, rocm, or a folder that holds a lock.yaml and a Containerfile')
    .option('--triton <version|checkout>', 'another release of Triton, or the sources to develop')
    .option('--llvm <dir|tarball>', 'a prebuilt LLVM, which becomes an input by its hash')
    .option(
      '-o, --output <dir>',
      'folder for the layout, bom.json, provenance.json and lock.yaml (default: build/IMAGE)',
    )
    .option(
      '--to <ref>',
      'push to registry/repository:tag, sign, attest SBOM and provenance (default with --key: containers-storage:localhost/tcf/IMAGE)',
    )
    .option('--check <digest|ref>', 'build again and compare; with a signer, attest at REF what came out')
    .option('--builder <uri>', 'who builds, in the provenance', localBuilder)
    .option('--engine <engine>', buildEngines.join(' or '));
  declareInputOptions(command);
  declareSigningOptions(command);
  declareNetworkOptions(command);
}

/** An image to make, or one that was made and is built again to compare. */
export type BuildQuestion =
  | { readonly about: 'image'; readonly request: ImageBuildRequest }
  | { readonly about: 'check'; readonly request: BuildCheckRequest };

/** @throws TcfError `build.check`, `option.value`, and those of the signer (exit 3). */
export function readBuildQuestion(host: Host, name: string, options: Options): BuildQuestion {
  const to = textOption(options, 'to');
  const output = textOption(options, 'output');
  const expected = textOption(options, 'check');
  if (expected !== undefined && (to ?? output) !== undefined) {
    throw askedWrongly(
      'build.check',
      '--check compares and writes nothing, so --to and --output have no meaning',
      { hint: 'leave one of them out' },
    );
  }
  const signs = to !== undefined || namesSigner(options);
  const request = compact({
    ...readStoreRequest(options),
    name,
    to,
    triton: textOption(options, 'triton'),
    llvm: textOption(options, 'llvm'),
    output,
    builder: textOption(options, 'builder'),
    engine: choiceOption(options, 'engine', buildEngines),
    signing: signs ? readSigningRequest(options) : undefined,
    onProgress: (line: string) => host.stderr.write(`tcf: ${line}\n`),
  });
  return expected === undefined
    ? { about: 'image', request }
    : { about: 'check', request: { ...request, expected } };
}

/** A check attests, and an image goes to podman, only where a signer is named. */
function namesSigner(options: Options): boolean {
  return ['key', 'signerCmd', 'identityToken', 'instance', 'oidcFlow'].some(
    (name) => options[name] !== undefined,
  );
}
