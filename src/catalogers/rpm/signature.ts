/** Tags of signatures: over header alone (DSA or EdDSA, RSA), over header and payload (GPG, PGP). */
export const signatureTags: readonly number[] = [267, 268, 262, 259];

/** Of a signature packet only the front is looked at; real ones have under 1 KiB. */
const maxPacket = 64 * 1024;

/**
 * The id of the key that an OpenPGP signature says it was made with (RFC 4880 5.2, RFC 9580 5.2), 16
 * lower-case hexadecimal digits; `undefined` where it names none. Nothing is verified here: who wrote the
 * database wrote this too.
 */
export function issuerOf(signature: Uint8Array): string | undefined {
  if (signature.length > maxPacket) {
    return undefined;
  }
  const body = packetBody(Buffer.from(signature.buffer, signature.byteOffset, signature.length));
  if (body === undefined) {
    return undefined;
  }
  if (body[0] === 3) {
    return body.length < 15 ? undefined : body.toString('hex', 7, 15);
  }
  if (body[0] !== 4 || body.length < 6) {
    return undefined;
  }
  const hashed = body.readUInt16BE(4);
  const second = 6 + hashed;
  if (second + 2 > body.length) {
    return undefined;
  }
  const unhashed = body.readUInt16BE(second);
  return (
    issuerAmong(body.subarray(6, second)) ?? issuerAmong(body.subarray(second + 2, second + 2 + unhashed))
  );
}

/** Of a packet of type 2, in the old form (RFC 4880 4.2.1) or the new one. */
function packetBody(packet: Buffer): Buffer | undefined {
  const first = packet[0] ?? 0;
  if ((first & 0xfc) === 0x88) {
    const width = [1, 2, 4][first & 3];
    if (width === undefined || packet.length < 1 + width) {
      return undefined;
    }
    return packet.subarray(1 + width, 1 + width + packet.readUIntBE(1, width));
  }
  if (first !== 0xc2) {
    return undefined;
  }
  const [length, start] = lengthAt(packet, 1) ?? [];
  return length === undefined || start === undefined ? undefined : packet.subarray(start, start + length);
}

/**
 * Subpacket 33 has version and fingerprint of the key, whose id are the last 8 bytes; subpacket 16 the id
 * alone.
 */
function issuerAmong(subpackets: Buffer): string | undefined {
  let issuer: string | undefined;
  for (let at = 0; at < subpackets.length; ) {
    const [length, start] = lengthAt(subpackets, at) ?? [];
    if (!length || start === undefined || start + length > subpackets.length) {
      return issuer;
    }
    const content = subpackets.subarray(start + 1, start + length);
    const type = (subpackets[start] ?? 0) & 0x7f;
    if (type === 33 && content.length === 21 && content[0] === 4) {
      return content.toString('hex', 13);
    }
    if (type === 16 && content.length === 8) {
      issuer ??= content.toString('hex');
    }
    at = start + length;
  }
  return issuer;
}

/** A length and what follows it: one byte, two, or five (RFC 4880 4.2.2 and 5.2.3.1). */
function lengthAt(bytes: Buffer, at: number): readonly [number, number] | undefined {
  const first = bytes[at];
  if (first === undefined) {
    return undefined;
  }
  if (first < 192) {
    return [first, at + 1];
  }
  if (first < 255) {
    const second = bytes[at + 1];
    return second === undefined ? undefined : [((first - 192) << 8) + second + 192, at + 2];
  }
  return at + 5 > bytes.length ? undefined : [bytes.readUInt32BE(at + 1), at + 5];
}
