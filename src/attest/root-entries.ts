import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { optionalMember } from './dsse.ts';
import { parseTrustedRoot } from './trusted-root.ts';

/** One of those whom a trusted root believes. */
export interface RootEntry {
  readonly kind: 'certificate authority' | 'certificate log' | 'timestamp authority' | 'transparency log';
  /** As the root writes it: a name, nothing is fetched from it. */
  readonly uri: string;
  readonly start: Date;
  /** Absent: until further notice. */
  readonly end?: Date;
}

/** Lists a trusted root in the order of the file. @throws TcfError as `parseTrustedRoot`. */
export function listRoot(bytes: Uint8Array): readonly RootEntry[] {
  parseTrustedRoot(bytes);
  const root = new Shape(parseJson(bytes, 'the trusted root'), 'trustedRoot');
  const entries = (key: string) => optionalMember(root, key)?.list(64) ?? [];
  const log = (kind: RootEntry['kind']) => (shape: Shape) =>
    toEntry(kind, shape.get('baseUrl'), shape.get('publicKey').get('validFor'));
  const authority = (kind: RootEntry['kind']) => (shape: Shape) =>
    toEntry(kind, optionalMember(shape, 'uri'), shape.get('validFor'));
  return [
    ...entries('certificateAuthorities').map(authority('certificate authority')),
    ...entries('ctlogs').map(log('certificate log')),
    ...entries('tlogs').map(log('transparency log')),
    ...entries('timestampAuthorities').map(authority('timestamp authority')),
  ];
}

function toEntry(kind: RootEntry['kind'], uri: Shape | undefined, validFor: Shape): RootEntry {
  const end = optionalMember(validFor, 'end');
  return {
    kind,
    uri: uri?.string(2000) ?? '',
    start: new Date(validFor.get('start').string()),
    ...(end === undefined ? {} : { end: new Date(end.string()) }),
  };
}
