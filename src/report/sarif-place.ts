import { createHash } from 'node:crypto';
import { type Containerfile, type Instruction, lastFrom } from './containerfile.ts';

/** SARIF 3.29, `physicalLocation`. */
export interface SarifPlace {
  readonly artifactLocation: { readonly uri: string };
  readonly region: { readonly startLine: number; readonly endLine?: number };
}

/**
 * Where an alert is shown: at the instruction that brought it, where that is known, else at the beginning of
 * the Containerfile; without one at the name of the image, which stays the same in the next build.
 */
export function sarifPlace(
  image: string,
  containerfile: Containerfile | undefined,
  instruction?: Instruction,
): SarifPlace {
  if (containerfile === undefined) {
    return { artifactLocation: { uri: toUri(image) }, region: { startLine: 1 } };
  }
  const { endLine, line } = instruction ?? { line: 1, endLine: 1 };
  return {
    artifactLocation: { uri: toUri(containerfile.path) },
    region: { startLine: line, ...(endLine === line ? {} : { endLine }) },
  };
}

/** Of what is said about an image as a whole: what it is built on. */
export function sarifPlaceOfImage(image: string, containerfile: Containerfile | undefined): SarifPlace {
  return sarifPlace(image, containerfile, containerfile === undefined ? undefined : lastFrom(containerfile));
}

/**
 * A relative reference (RFC 3986): code scanning takes no other, and a port would make a scheme of the host.
 */
function toUri(name: string): string {
  return name.split('/').map(encodeURIComponent).join('/');
}

/** `primaryLocationLineHash` is the one that code scanning tells alerts apart by. */
export function sarifFingerprints(identity: readonly string[]): Readonly<Record<string, string>> {
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  return { primaryLocationLineHash: `${hash.slice(0, 16)}:1`, 'tcf/v1': hash };
}
