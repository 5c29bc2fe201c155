import { createHash, type KeyObject, verify } from 'node:crypto';
import { parsePublicKey } from '../attest/trusted-key.ts';
import { decodeBase64, decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { lastLine, quoted } from '../base/text.ts';
import type { ProgramLimits, RunProgram } from '../system/program.ts';
import { algorithmFor, materialOf, type Signer } from './signer.ts';

/**
 * Somebody may have to touch a token or type a PIN. A PEM key of RSA 8192 has 1.5 KiB, its signature in
 * base64 1.4 KiB.
 */
const limits: ProgramLimits = { timeout: 120_000, output: 16_384 };

export interface CommandSigner {
  readonly key: KeyObject;
  readonly signer: Signer;
}

/**
 * A signer whose private key another program keeps: an HSM, a KMS, an agent. docs/signer-command.md has the
 * protocol.
 *
 *     CMD public-key        prints SubjectPublicKeyInfo in PEM
 *     CMD sign HASH         reads the digest, or with `none` the message, from standard input; prints the signature in base64
 *
 * Nothing that it says is believed: the key has to be a strong one, and each signature is verified with it
 * before it is used.
 *
 * @throws TcfError `signer.command` (exit 3), `signer.failed`, `signer.malformed`, `process.*`, `key.*` (exit
 *   2).
 */
export async function openSignerCommand(command: string, run: RunProgram): Promise<CommandSigner> {
  const [file, ...args] = command.split(/\s+/).filter((word) => word !== '');
  if (file === undefined) {
    throw askedWrongly('signer.command', '--signer-cmd names no program', {
      hint: 'give a program and its first arguments; they are split at spaces, and no shell is started',
    });
  }
  const ask = async (question: readonly string[], input: Uint8Array, what: string): Promise<string> => {
    const ran = await run(file, [...args, ...question], input, limits);
    if (ran.code !== 0) {
      const said = lastLine(ran.stderr, 300);
      throw cannotTell(
        'signer.failed',
        `${quoted(file)} gave no ${what}: it ended with ${ran.code}${said === '' ? '' : `: ${said}`}`,
        { hint: `try it by hand: ${command} public-key` },
      );
    }
    const text = decodeUtf8(ran.stdout);
    if (text === undefined) {
      throw malformed(file, what, 'it is not text');
    }
    return text;
  };
  const { key } = readKey(await ask(['public-key'], new Uint8Array(), 'public key'), file);
  const { hash } = algorithmFor(key);
  const material = materialOf(key);
  return {
    key,
    signer: {
      sign: async (bytes) => {
        const input = hash === undefined ? bytes : createHash(hash).update(bytes).digest();
        const text = await ask(['sign', hash ?? 'none'], input, 'signature');
        const signature = decodeBase64(text.replace(/\r?\n$/, ''));
        if (signature === undefined) {
          throw malformed(file, 'signature', 'it is not one line of base64');
        }
        // The key of another slot, a digest hashed once more, r and s without DER: all of them would be
        // noticed only by whoever verifies.
        if (!verify(hash ?? null, bytes, key, signature)) {
          throw malformed(file, 'signature', 'the public key of the same program does not verify it');
        }
        return { signature: Buffer.from(signature), key: material };
      },
    },
  };
}

function readKey(pem: string, file: string): ReturnType<typeof parsePublicKey> {
  try {
    return parsePublicKey(pem, file);
  } catch (error) {
    if (error instanceof TcfError && error.code === 'key.malformed') {
      throw malformed(file, 'public key', 'it is not one PEM block "PUBLIC KEY" with a readable key');
    }
    throw error;
  }
}

function malformed(file: string, what: string, why: string): TcfError {
  return cannotTell('signer.malformed', `cannot use the ${what} that ${quoted(file)} gave: ${why}`, {
    hint: 'docs/signer-command.md says what the program has to print',
  });
}
