import { createHash, X509Certificate } from 'node:crypto';
import type { Diagnostic } from '../base/diagnostic.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { formatDay, plural } from '../base/text.ts';
import { namesOf } from './checkpoint.ts';
import { bytesAt, optionalMember } from './dsse.ts';
import { readLog } from './root-material.ts';
import { fingerprintOf, isWithin, type TimeWindow } from './trusted-key.ts';
import { parseTrustedRoot, type SkippedEntry } from './trusted-root.ts';

/** A start has to be there, or the root would not have been read. */
interface Window extends TimeWindow {
  readonly start: Date;
}

interface Entry {
  readonly shape: Shape;
  readonly window: Window;
  /** Tells two entries that trust the same key apart from two that do not. */
  readonly identity: string;
  /** By which a bundle or a certificate names it. */
  readonly id: string;
}

/**
 * Looks for what is suspicious in a trusted root that can be read, in the order of the file. `now` decides
 * what is still valid.
 *
 * @throws TcfError as `parseTrustedRoot` does, for what cannot be read at all.
 */
export function lintTrustedRoot(bytes: Uint8Array, now: Date): readonly Diagnostic[] {
  const { skipped } = parseTrustedRoot(bytes);
  const root = new Shape(parseJson(bytes, 'the trusted root'), 'trustedRoot');
  const of = (kind: string, read: (shape: Shape) => Entry) =>
    (optionalMember(root, kind)?.list(64) ?? [])
      .filter(({ path }) => !skipped.some((entry) => entry.path === path))
      .map(read);
  const logs = of('tlogs', toLog);
  const certificateLogs = of('ctlogs', toLog);
  const authorities = of('certificateAuthorities', toAuthority);
  const clocks = of('timestampAuthorities', toAuthority);
  const kinds = [logs, certificateLogs, authorities, clocks];
  return [
    ...skipped.map(toProblem),
    ...kinds.flatMap((entries) => entries.flatMap((entry) => lintWindow(entry, now))),
    ...kinds.flatMap(lintTwins),
    ...[...logs, ...certificateLogs].flatMap(({ shape }) => lintLog(shape)),
    ...authorities.flatMap((entry) => lintChain(entry, true)),
    ...clocks.flatMap((entry) => lintChain(entry, false)),
    ...lintWhole(root, { logs, certificateLogs, authorities, clocks }, now),
  ];
}

/** An algorithm that a later tcf may know is no reason to refuse the rest; damage is. */
function toProblem({ isUnsupported, path, reason }: SkippedEntry): Diagnostic {
  return isUnsupported
    ? problem('warning', 'unsupported', { path }, `does not count: ${reason}`)
    : problem('error', 'unreadable', { path }, `does not count: ${reason}`);
}

function toLog(shape: Shape): Entry {
  const { logID, publicKey } = readLog(shape, []);
  const window = windowOf(shape.get('publicKey').get('validFor'));
  return { shape, window, identity: fingerprintOf(publicKey), id: logID.toString('hex') };
}

function toAuthority(shape: Shape): Entry {
  const [first] = certificatesOf(shape);
  const identity = first?.fingerprint256 ?? '';
  return { shape, window: windowOf(shape.get('validFor')), identity, id: identity };
}

function certificatesOf(authority: Shape): readonly X509Certificate[] {
  const certificates = authority.get('certChain').get('certificates').list(10);
  return certificates.map((certificate) => new X509Certificate(bytesAt(certificate.get('rawBytes'))));
}

function windowOf(validFor: Shape): Window {
  const end = optionalMember(validFor, 'end');
  return {
    start: new Date(validFor.get('start').string()),
    ...(end === undefined ? {} : { end: new Date(end.string()) }),
  };
}

/** About the entry or the member at a path such as `trustedRoot.tlogs[1].validFor`. */
function problem(
  level: 'error' | 'warning',
  code: string,
  { path }: Pick<Shape, 'path'>,
  message: string,
): Diagnostic {
  return { level, code: `trusted-root.${code}`, subject: path, message };
}

function lintWindow({ shape, window }: Entry, now: Date): readonly Diagnostic[] {
  const { end, start } = window;
  if ((end ?? start) < start) {
    return [problem('error', 'window', shape, 'ends before it begins: it is never valid')];
  }
  if (start > now) {
    return [problem('warning', 'future', shape, `begins only on ${formatDay(start)}`)];
  }
  return [];
}

/** Two entries with one key are two logs to a verifier that counts entries (CVE-2026-49834). */
function lintTwins(entries: readonly Entry[]): readonly Diagnostic[] {
  return entries.flatMap(({ id, identity, shape }, index) => {
    const before = entries.slice(0, index);
    const twin = before.find((other) => other.identity === identity);
    if (twin !== undefined) {
      return [problem('error', 'same-key', shape, `has the same key as ${twin.shape.path}`)];
    }
    const rival = before.find((other) => other.id === id);
    return rival === undefined
      ? []
      : [problem('error', 'same-id', shape, `has the id of ${rival.shape.path} and another key`)];
  });
}

function lintLog(log: Shape): readonly Diagnostic[] {
  const url = log.get('baseUrl');
  const id = bytesAt(log.get('logId').get('keyId'));
  const raw = bytesAt(log.get('publicKey').get('rawBytes'));
  return [
    ...(logIdsOf(url.string(), raw).some((known) => known.equals(id))
      ? []
      : [problem('warning', 'log-id', log.get('logId'), 'is not made from the key and the name of the log')]),
    ...(url.string().startsWith('https://')
      ? []
      : [problem('warning', 'log-url', url, 'is not an https address')]),
  ];
}

/**
 * RFC 6962 section 3.2; and the key ID of a checkpoint, whole (c2sp.org/signed-note), as Rekor v2 has it:
 * name, 0x0A, type, key.
 */
function logIdsOf(url: string, spki: Uint8Array): readonly Buffer[] {
  const hash = (...parts: readonly (Uint8Array | string)[]) => {
    const digest = createHash('sha256');
    for (const part of parts) {
      digest.update(part);
    }
    return digest.digest();
  };
  return [hash(spki), ...namesOf(url).map((name) => hash(name, '\n', Buffer.of(1), spki.slice(-32)))];
}

function lintChain({ shape, window }: Entry, isSigner: boolean): readonly Diagnostic[] {
  const chain = certificatesOf(shape);
  const at = (index: number) => shape.get('certChain').get('certificates').list(10)[index] ?? shape;
  return chain.flatMap((certificate, index) => {
    const issuer = chain[index + 1] ?? certificate;
    const isAuthority = isSigner || index > 0;
    return [
      ...(isAuthority && !certificate.ca
        ? [problem('error', 'no-authority', at(index), 'is not the certificate of an authority')]
        : []),
      ...(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
        ? []
        : [
            problem(
              'error',
              'chain',
              at(index),
              issuer === certificate
                ? 'ends the chain and is not self-signed'
                : 'is not issued by the next one',
            ),
          ]),
      ...(overlaps(certificate, window)
        ? []
        : [problem('warning', 'validity', at(index), 'is never valid while its entry is')]),
    ];
  });
}

function overlaps({ validFromDate, validToDate }: X509Certificate, { end, start }: Window): boolean {
  return start <= validToDate && (end === undefined || validFromDate <= end);
}

interface Kinds {
  readonly logs: readonly Entry[];
  readonly certificateLogs: readonly Entry[];
  readonly authorities: readonly Entry[];
  readonly clocks: readonly Entry[];
}

/** What the root as a whole cannot do. */
function lintWhole(root: Shape, kinds: Kinds, now: Date): readonly Diagnostic[] {
  const { authorities, certificateLogs, clocks, logs } = kinds;
  const isOpen = (entries: readonly Entry[]) => entries.some(({ window }) => isWithin(window, now));
  const closed = (one: string, many: string, entries: readonly Entry[]) =>
    entries.length === 0 || isOpen(entries)
      ? []
      : [
          problem(
            'warning',
            'none-valid',
            root,
            `has ${plural(entries.length, one, many)} and none that is valid now`,
          ),
        ];
  return [
    ...(authorities.length + clocks.length + logs.length === 0
      ? [problem('error', 'trusts-nobody', root, 'trusts nobody')]
      : []),
    ...(logs.length + clocks.length === 0 && authorities.length > 0
      ? [
          problem(
            'error',
            'no-time',
            root,
            'has neither a log nor a timestamp authority: no certificate can ever count',
          ),
        ]
      : []),
    ...(authorities.length > 0 && certificateLogs.length === 0 && logs.length > 0
      ? [
          problem(
            'warning',
            'no-ct-log',
            root,
            'has no certificate transparency log: certificates will not count',
          ),
        ]
      : []),
    ...closed('certificate authority', 'certificate authorities', authorities),
    ...closed('transparency log', 'transparency logs', logs),
    ...closed('timestamp authority', 'timestamp authorities', clocks),
  ];
}
