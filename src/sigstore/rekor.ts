import type { VerificationMaterial } from '@sigstore/sign';
import { toTransparencyLogEntry } from '../attest/core.ts';
import { formatEnvelope } from '../attest/dsse.ts';
import { checkLogBody } from '../attest/log-body.ts';
import { type LogEntry, readLogEntry } from '../attest/log-entry.ts';
import { answer } from '../attest/refusal.ts';
import { decodeBase64, encodeBase64, encodeUtf8, toHex } from '../base/bytes.ts';
import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { formatBytes } from '../base/size.ts';
import { quoted } from '../base/text.ts';
import {
  garbled,
  jsonOf,
  type Reply,
  refusal,
  type ServiceQuestion,
  type Services,
  under,
} from './services.ts';
import { readTestified, type Testified, type Witness } from './witness.ts';

const json = { 'content-type': 'application/json', accept: 'application/json' };

const notTaken = 'the log may not take this kind of key, or an entry of this size; ask its operator';
const signAgain = 'sign again: a new signature makes a new entry';

/**
 * A Rekor of API version 1: one entry, `dsse 0.0.1` or for artifacts `hashedrekord 0.0.1`, with promise and
 * inclusion proof.
 */
export function rekorWitness(log: URL, services: Services): Witness {
  const testify: Witness['testify'] = async (content, publicKey) => {
    const seen = readTestified(content, publicKey);
    const url = under(log, 'api/v1/log/entries');
    const question: ServiceQuestion = {
      method: 'POST',
      url,
      headers: json,
      body: encodeUtf8(JSON.stringify(toProposal(seen))),
      what: 'a log entry',
    };
    const reply = await askWithSize(log, services, question);
    const [asked, given] =
      reply.status === 409 ? await fetchExisting(services, question, reply) : [question, reply];
    if (given.status !== 200 && given.status !== 201) {
      throw refusal(asked, given, asked === question ? notTaken : signAgain);
    }
    return checkedEntry(asked, seen, jsonOf(asked, given, readEntry1));
  };
  return { testify };
}

/**
 * Bytes of an entry from which on a refusal may be about its size: rekor.sigstore.dev has taken 2 MiB and not
 * 3.5 MiB. What refuses it is a load balancer, which says 413 or 502 or closes the connection
 * (sigstore/rekor#2808, #2915), and that looks like a service which is down.
 */
const largeEntry = 1024 * 1024;

/** @throws TcfError `log.too-large` where the log answers other questions, and not this one. */
async function askWithSize(log: URL, services: Services, question: ServiceQuestion): Promise<Reply> {
  const size = question.body?.length ?? 0;
  try {
    const reply = await services(question);
    const isSuspect = reply.status === 413 || reply.status >= 500 || reply.status === 400;
    if (isSuspect && size > largeEntry && (await isUp(log, services))) {
      throw tooLarge(log, size);
    }
    return reply;
  } catch (error) {
    const isSuspect = error instanceof TcfError && error.code === 'sigstore.unreachable';
    if (isSuspect && size > largeEntry && (await isUp(log, services))) {
      throw tooLarge(log, size, error);
    }
    throw error;
  }
}

/** Rekor's OpenAPI document, `getLogInfo`. */
async function isUp(log: URL, services: Services): Promise<boolean> {
  const question: ServiceQuestion = {
    method: 'GET',
    url: under(log, 'api/v1/log'),
    headers: json,
    what: 'the log',
  };
  try {
    return (await services(question)).status === 200;
  } catch (error) {
    if (error instanceof TcfError) {
      return false;
    }
    throw error;
  }
}

function tooLarge(log: URL, size: number, cause?: unknown): TcfError {
  return cannotTell(
    'log.too-large',
    `${quoted(log.host)} answers, but takes no entry of ${formatBytes(size)}: a log of version 1 gets the whole statement`,
    {
      hint: 'use a log of version 2, which gets a digest (--rekor-version 2); or sign with --no-sbom, and attest a smaller SBOM',
      cause,
    },
  );
}

/** `ProposedEntry` of Rekor's OpenAPI document. */
function toProposal({ digest, envelope, signature, signer }: Testified): object {
  const verifier = encodeBase64(encodeUtf8(signer.pem));
  if (envelope !== undefined) {
    const text = Buffer.from(formatEnvelope(envelope)).toString();
    const spec = { proposedContent: { envelope: text, verifiers: [verifier] } };
    return { apiVersion: '0.0.1', kind: 'dsse', spec };
  }
  // The log sees a digest only, and checks the signature with it.
  if (signer.algorithm.hash === undefined || digest === undefined) {
    throw noEd25519('a log');
  }
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: digest.algorithm, value: toHex(digest.bytes) } },
      signature: { content: encodeBase64(signature), publicKey: { content: verifier } },
    },
  };
}

function noEd25519(log: string): Error {
  return askedWrongly('key.unsupported', `${log} takes no pure Ed25519 signatures over a digest`, {
    hint: 'sign with an ECDSA key; for statements a Rekor of API version 1 will do too',
  });
}

/**
 * The log has this very entry: deterministic signatures (Ed25519, RSA), or a first attempt whose answer was
 * lost (sigstore-js#1708). It is as good as a new one, once it is read and found to be about this signature.
 */
async function fetchExisting(
  services: Services,
  { url }: ServiceQuestion,
  conflict: Reply,
): Promise<readonly [ServiceQuestion, Reply]> {
  const location = conflict.headers['location'] ?? '';
  const existing = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (
    existing?.origin !== url.origin ||
    !/\/api\/v1\/log\/entries\/[0-9a-f]{64,80}$/.test(existing.pathname)
  ) {
    throw cannotTell(
      'log.conflict',
      `${quoted(url.host)} says that it has this entry and does not say where`,
      {
        hint: signAgain,
      },
    );
  }
  const question: ServiceQuestion = {
    method: 'GET',
    url: existing,
    headers: json,
    what: 'the existing log entry',
  };
  return [question, await services(question)];
}

/** `{ UUID: LogEntryAnon }` of Rekor's OpenAPI document. */
function readEntry1(shape: Shape): LogEntry {
  const [uuid, ...others] = Object.keys(shape.record());
  if (uuid === undefined || others.length > 0) {
    throw shape.wrong('is not one log entry');
  }
  const entry = shape.get(uuid);
  const body = base64At(entry.get('body'));
  const { kind, apiVersion } = kindOf(body);
  const proof = entry.get('verification').get('inclusionProof');
  return {
    kind,
    apiVersion,
    body,
    logId: hexAt(entry.get('logID')),
    logIndex: String(entry.get('logIndex').whole()),
    integratedTime: String(entry.get('integratedTime').whole()),
    signedEntryTimestamp: base64At(entry.get('verification').get('signedEntryTimestamp')),
    proof: {
      logIndex: String(proof.get('logIndex').whole()),
      treeSize: String(proof.get('treeSize').whole()),
      rootHash: hexAt(proof.get('rootHash')),
      hashes: proof.get('hashes').list(64).map(hexAt),
      checkpoint: proof.get('checkpoint').string(),
    },
  };
}

function kindOf(body: Uint8Array): { readonly kind: string; readonly apiVersion: string } {
  const shape = new Shape(parseJson(body, 'the log entry'), 'logEntry');
  return { kind: shape.get('kind').string(100), apiVersion: shape.get('apiVersion').string(100) };
}

/**
 * A Rekor of API version 2 (rekor-tiles): one entry `hashedrekord 0.0.2` over the digest of what was signed,
 * of an envelope its PAE. It tells no time, so a timestamp authority has to bear witness too.
 */
export function rekor2Witness(log: URL, services: Services): Witness {
  const testify: Witness['testify'] = async (content, publicKey) => {
    const seen = readTestified(content, publicKey);
    const { hash, keyDetails } = seen.signer.algorithm;
    const digest = hash && seen.about.signedDigest(hash);
    if (digest === undefined) {
      throw noEd25519('a log of version 2');
    }
    const { der, kind } = seen.signer;
    const material = { rawBytes: encodeBase64(der) };
    const verifier = {
      ...(kind === 'key' ? { publicKey: material } : { x509Certificate: material }),
      keyDetails,
    };
    const request = {
      digest: encodeBase64(digest),
      signature: { content: encodeBase64(seen.signature), verifier },
    };
    const question: ServiceQuestion = {
      method: 'POST',
      url: under(log, 'api/v2/log/entries'),
      headers: json,
      body: encodeUtf8(JSON.stringify({ hashedRekordRequestV002: request })),
      what: 'a log entry',
    };
    const reply = await services(question);
    if (reply.status !== 200 && reply.status !== 201) {
      throw refusal(question, reply, notTaken);
    }
    return checkedEntry(
      question,
      seen,
      jsonOf(question, reply, (shape) => readLogEntry(shape, 'proof')),
    );
  };
  return { testify };
}

/**
 * An entry about something else would make a bundle that nobody accepts; better to learn it before it is
 * attached.
 */
function checkedEntry(
  question: ServiceQuestion,
  { about, signer }: Testified,
  entry: LogEntry,
): VerificationMaterial {
  const check = answer('log.body', () => checkLogBody(entry, about, signer.der));
  if (!check.ok) {
    throw garbled(question, check.reason.message);
  }
  return { tlogEntries: [toTransparencyLogEntry(entry)] };
}

function base64At(shape: Shape): Uint8Array {
  const bytes = decodeBase64(shape.string(8 * 1024 * 1024));
  if (bytes === undefined) {
    throw shape.wrong('is not standard base64');
  }
  return bytes;
}

function hexAt(shape: Shape): Uint8Array {
  const hex = shape.string(128);
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) {
    throw shape.wrong('is not lower-case hex');
  }
  return Buffer.from(hex, 'hex');
}
