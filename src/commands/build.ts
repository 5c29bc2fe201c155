import { basename } from 'node:path';
import type { Command } from 'commander';
import { type BuiltImage, buildFromLock, type ImageBuildRequest, localBuilder } from '../app/build/build.ts';
import { type BuildCheckRequest, checkBuild } from '../app/build/check.ts';
import { buildEngines } from '../app/build/engine.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { formatComparison } from '../report/lock-comparison.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { type Options, textOption } from './options/bag.ts';
import { declareInputOptions, readStoreRequest } from './options/inputs.ts';
import { declareNetworkOptions } from './options/network.ts';
import { declareSigningOptions, readSigningRequest } from './options/signing.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  declare(command: Command): void {
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
  },
  async run(host, [name = ''], options): Promise<ExitCode> {
    const expected = textOption(options, 'check');
    const request = readBuildRequest(host, name, options);
    if (expected !== undefined) {
      return await check(host, { ...request, expected });
    }
    const built = await buildFromLock(host, request);
    await host.stderr.write(formatComparison(built.comparison));
    await host.stdout.write(`${built.pushed ?? built.digest}\n`);
    await host.stderr.write(nextStep(built, name));
    return built.comparison.missing.length + built.comparison.unlocked.length === 0 ? 0 : 1;
  },
};

/** What makes an image startable: deny is the default, so somebody signs it. */
function nextStep({ comparison, output, pushed }: BuiltImage, name: string): string {
  if (comparison.missing.length + comparison.unlocked.length > 0) {
    return '';
  }
  return pushed === undefined
    ? `tcf: ${quoted(output)} is signed by nobody; tcf build ${name} --key FILE signs it and gives it to podman, then tcf up starts it\n`
    : `tcf: tcf up ${basename(name)} starts ${pushed}, where your policy allows it\n`;
}

function readBuildRequest(host: Host, name: string, options: Options): ImageBuildRequest {
  const to = textOption(options, 'to');
  const check = textOption(options, 'check');
  if (check !== undefined && (to ?? textOption(options, 'output')) !== undefined) {
    throw askedWrongly(
      'build.check',
      '--check compares and writes nothing, so --to and --output have no meaning',
      {
        hint: 'leave one of them out',
      },
    );
  }
  const signs = to !== undefined || wantsToSign(options);
  return compact({
    ...readStoreRequest(options),
    name,
    to,
    triton: textOption(options, 'triton'),
    llvm: textOption(options, 'llvm'),
    output: textOption(options, 'output'),
    builder: textOption(options, 'builder'),
    engine: readBuildEngine(options),
    signing: signs ? readSigningRequest(options) : undefined,
    onProgress: (line: string) => host.stderr.write(`tcf: ${line}\n`),
  });
}

/** A check attests, and an image goes to podman, only where somebody says who signs. */
function wantsToSign(options: Options): boolean {
  return ['key', 'signerCmd', 'identityToken', 'instance', 'oidcFlow'].some(
    (name) => options[name] !== undefined,
  );
}

/** 0: the same digest; 1: another one. */
async function check(host: Host, request: BuildCheckRequest): Promise<ExitCode> {
  const { attested, built, expected, isSameContent } = await checkBuild(host, request);
  if (attested !== undefined) {
    await host.stderr.write(`attached the verification summary: ${attested}\n`);
  }
  const isSame = built === expected;
  if (!isSame) {
    const why = isSameContent
      ? 'the contents are the same, packed by another version of a library'
      : 'another image';
    await host.stderr.write(`tcf: the lock gives ${built}, not ${expected}: ${why}\n`);
  }
  await host.stdout.write(`${built}\n`);
  return isSame ? 0 : 1;
}

function readBuildEngine(options: Options): (typeof buildEngines)[number] | undefined {
  const asked = textOption(options, 'engine');
  const engine = buildEngines.find((one) => one === asked);
  if (asked !== undefined && engine === undefined) {
    throw askedWrongly('build.engine', `tcf build does not drive ${quoted(asked)}`, {
      hint: `write ${buildEngines.join(' or ')}`,
    });
  }
  return engine;
}
