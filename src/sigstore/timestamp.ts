import { createHash } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import { reasonOf } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { garbled, refusal, type ServiceQuestion, type Services } from './services.ts';
import { readTestified, type Witness } from './witness.ts';

/**
 * `TimeStampReq` (RFC 3161, 2.4.1) up to the digest: version 1, SHA-256, and nothing optional. The
 * certificate is not asked for: verifiers take it from their trusted root.
 */
const requestHead = Buffer.from('30360201013031300d060960864801650304020105000420', 'hex');

/** 0: granted, 1: granted with changes (RFC 3161, 2.4.2). */
const granted: readonly bigint[] = [0n, 1n];

/** A timestamp authority. `address` is the whole address of its endpoint, as in a signing config. */
export function timestampWitness(address: URL, services: Services): Witness {
  const testify: Witness['testify'] = async (content, publicKey) => {
    const { signature } = readTestified(content, publicKey);
    const question: ServiceQuestion = {
      method: 'POST',
      url: address,
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: Buffer.concat([requestHead, createHash('sha256').update(signature).digest()]),
      what: 'a timestamp',
    };
    const reply = await services(question);
    if (reply.status !== 200 && reply.status !== 201) {
      throw refusal(question, reply, 'check the address: it is the whole one of the endpoint');
    }
    checkTimestamp(question, reply.body, signature);
    return { rfc3161Timestamps: [{ signedTimestamp: Buffer.from(reply.body) }] };
  };
  return { testify };
}

function checkTimestamp(question: ServiceQuestion, der: Uint8Array, signature: Uint8Array): void {
  let status: bigint;
  try {
    const timestamp = RFC3161Timestamp.parse(Buffer.from(der));
    status = timestamp.status;
    if (granted.includes(status)) {
      timestamp.tstInfo.verify(Buffer.from(signature));
    }
  } catch (error) {
    // @sigstore/core throws errors of several classes, TypeErrors among them, at what it cannot read.
    throw garbled(question, printable(reasonOf(error)));
  }
  if (!granted.includes(status)) {
    throw garbled(question, `it refused with status ${status}`);
  }
}
