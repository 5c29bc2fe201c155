import type { SignRequest } from '../../app/sign/sign-image.ts';
import type { SbomChoice } from '../../app/sign/statements.ts';
import { predicateNames } from '../../attest/predicate.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { flag, listOption, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';
import { readPlatform } from './platform.ts';
import { givenSbomOptions, readSbomRequest } from './sbom.ts';
import { readSigningRequest } from './signing.ts';

/** @throws TcfError `sign.*`, `sbom.*`, `cli.*`, `flags.*` (exit 3). */
export function readSignRequest(options: Options, image: string): SignRequest {
  return compact({
    image,
    signing: readSigningRequest(options),
    annotations: readAnnotations(listOption(options, 'annotation')),
    attest: listOption(options, 'attest').map(readAttestation),
    recursive: flag(options, 'recursive'),
    sbom: readSbomChoice(options),
    skipExisting: flag(options, 'skipExisting'),
    scan: readScan(options),
    platform: readPlatform(options),
    network: readNetwork(options),
  });
}

/** @throws TcfError `sign.scan` (exit 3). */
function readScan(options: Options): SignRequest['scan'] | undefined {
  const database = textOption(options, 'db');
  if (flag(options, 'attestVulns')) {
    return compact({ database });
  }
  if (database !== undefined) {
    throw askedWrongly('sign.scan', '--db is about --attest-vulns', { hint: 'write --attest-vulns too' });
  }
  return undefined;
}

/** Options about an SBOM that is not made are refused: nobody would see that they were passed over. */
function readSbomChoice(options: Options): SbomChoice {
  const { sbom } = options;
  if (sbom !== false && typeof sbom !== 'string') {
    return { kind: 'made', request: readSbomRequest(options) };
  }
  const [given] = givenSbomOptions(options);
  if (given !== undefined) {
    throw askedWrongly('sign.sbom', `${given} is about an SBOM that tcf sign makes, and it is to make none`, {
      hint: 'leave --sbom FILE and --no-sbom out, or give the option to tcf sbom',
    });
  }
  return sbom === false
    ? { kind: 'none' }
    : { kind: 'given', file: sbom, unchecked: flag(options, 'allowInvalidSbom') };
}

function readAnnotations(given: readonly string[]): Readonly<Record<string, string>> {
  const annotations = new Map<string, string>();
  for (const text of given) {
    const [, key = '', value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (value === undefined || annotations.has(key)) {
      const why = value === undefined ? 'is not key=value' : 'names a key twice';
      throw askedWrongly('sign.annotation', `--annotation ${quoted(text)} ${why}`);
    }
    annotations.set(key, value);
  }
  return Object.fromEntries(annotations);
}

function readAttestation(text: string): { readonly type: string; readonly file: string } {
  const [, type = '', file = ''] = /^(.*?)=([^=]*)$/s.exec(text) ?? [];
  if (type !== '' && file !== '') {
    return { type, file };
  }
  throw askedWrongly('sign.attest', `cannot read --attest ${quoted(text)} as TYPE=FILE`, {
    hint: `the type is a URI or one of ${Object.keys(predicateNames).join(', ')}`,
  });
}
