import type { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { predicateTypes } from './statement.ts';

/** The short names of `cosign attest --type`, and the types they stand for. */
export const predicateNames: Readonly<Record<string, string>> = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  cyclonedx: predicateTypes.cyclonedx,
  link: 'https://in-toto.io/Link/v1',
  openvex: 'https://openvex.dev/ns',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: predicateTypes.provenance,
  spdxjson: predicateTypes.spdx,
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
};

/** The predicate type of a short name, or the URI itself; `undefined` for what is neither. */
export function toPredicateType(name: string): string | undefined {
  if (Object.hasOwn(predicateNames, name)) {
    return predicateNames[name];
  }
  return /^[a-z][a-z0-9+.-]*:\/\/[!-~]{1,2000}$/.test(name) ? name : undefined;
}

/** What a predicate of each known type must have for its readers. Other members are free. */
const checks: Readonly<Record<string, (predicate: Shape) => void>> = {
  // https://slsa.dev/spec/v1.0/provenance: what is required of every build.
  [predicateTypes.provenance]: (predicate) => {
    const definition = predicate.get('buildDefinition');
    uri(definition.get('buildType'));
    definition.get('externalParameters').record();
    uri(predicate.get('runDetails').get('builder').get('id'));
  },
  'https://slsa.dev/provenance/v0.2': (predicate) => {
    uri(predicate.get('buildType'));
    uri(predicate.get('builder').get('id'));
  },
  // https://github.com/openvex/spec: the required fields of a document and of its statements.
  'https://openvex.dev/ns': (predicate) => {
    const context = predicate.get('@context');
    if (!context.string(200).startsWith('https://openvex.dev/ns')) {
      throw context.wrong(`is ${quoted(context.string(200))}, not OpenVEX`);
    }
    for (const field of ['@id', 'author', 'timestamp']) {
      predicate.get(field).string();
    }
    for (const statement of predicate.get('statements').list(100_000)) {
      if (statement.get('vulnerability').missing) {
        throw statement.wrong('names no vulnerability');
      }
      const status = statement.get('status');
      if (!vexStatuses.includes(status.string(100))) {
        throw status.wrong(`is not one of ${vexStatuses.join(', ')}`);
      }
    }
  },
  [predicateTypes.spdx]: (predicate) => {
    const version = predicate.get('spdxVersion');
    if (!/^SPDX-\d+\.\d+$/.test(version.string(20))) {
      throw version.wrong('is not a version of SPDX');
    }
  },
};

const vexStatuses = ['not_affected', 'affected', 'fixed', 'under_investigation'];

function uri(shape: Shape): void {
  if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(shape.string(2000))) {
    throw shape.wrong('is not a URI');
  }
}

/**
 * Checks a predicate before somebody signs it. A type that is not known takes any object.
 *
 * @throws TcfError `document.malformed` (exit 2), which names the place.
 */
export function checkPredicate(type: string, predicate: Shape): void {
  if (!predicate.get('_type').missing && !predicate.get('predicateType').missing) {
    throw predicate.wrong('is a whole statement; the predicate alone is wanted');
  }
  checks[type]?.(predicate);
}
