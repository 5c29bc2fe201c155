import { resolve } from 'node:path';
import { parseStatement } from '../../attest/statement.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { signArtifact, signStatement } from '../../sigstore/sign.ts';
import { expectWritable, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { isStandard } from '../../system/standard.ts';
import { readArtifact } from '../artifact.ts';
import { type About, checkOwnBundle, openSigning, type SigningRequest } from './signing.ts';

export interface SignFileRequest {
  /** The artifact, or a statement. */
  readonly file: string;
  /** Where the bundle is written. */
  readonly bundle: string;
  /** The file is an in-toto statement, and is signed as one. */
  readonly isStatement?: boolean;
  readonly signing?: SigningRequest;
}

/**
 * Signs a file as a Sigstore bundle, which is verified before it is written.
 *
 * @returns the bundle and what it is about.
 * @throws TcfError `bundle.target`, `statement.*`, `file.*` (exit 3), and as signing does.
 */
export async function signFile(
  host: Host,
  { bundle: target, file, isStatement = false, signing: request = {} }: SignFileRequest,
): Promise<{ readonly bundle: Uint8Array; readonly about: About }> {
  if (!isStandard(target) && resolve(host.cwd, file) === resolve(host.cwd, target)) {
    throw askedWrongly('bundle.target', `the bundle would replace ${quoted(file)}, which it is about`, {
      hint: 'give --bundle another name',
    });
  }
  await expectWritable(host, target);
  const content = await readArtifact(host, file);
  const about = isStatement ? subjectOf(content, file) : { artifact: content };
  const signing = await openSigning(host, request, 'checked');
  const sign = 'artifact' in about ? signArtifact : signStatement;
  const bundle = await sign(content, signing.signer, signing.witnesses);
  checkOwnBundle(bundle, signing, about, host.now(), 'written');
  await writeUserFile(host, target, bundle);
  return { bundle, about };
}

/** What nobody could verify is not signed: a statement that is none, or that names nothing. */
function subjectOf(content: Uint8Array, file: string): About {
  const statement = parseStatement(content);
  if (!statement.ok) {
    throw askedWrongly(
      'statement.malformed',
      `${quoted(file)} is not a statement: ${statement.reason.message}`,
      {
        hint: 'an in-toto Statement in JSON; without --in-toto the file is signed as it is',
      },
    );
  }
  const [subject] = statement.value.subjects.flatMap(({ digests }) => digests);
  if (subject !== undefined) {
    return { subject };
  }
  throw askedWrongly('statement.subject', `${quoted(file)} names no subject by a digest that tcf knows`, {
    hint: 'sha256, sha384 or sha512',
  });
}
