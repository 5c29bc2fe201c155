import type { RootEntry } from '../attest/root-entries.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { formatDay, formatJson, plural, printable } from '../base/text.ts';
import type { DatedRoot } from '../policy/dated-root.ts';
import { ageInDays } from '../policy/root-age.ts';
import { formatChecked } from './diagnostics.ts';
import { type JsonRoot, toJsonRoot } from './json.ts';

/** Rises when a member changes its meaning or goes away; new members may appear at any time. */
export const trustFormat = 'tcf.trust/1';

/** A trusted root with everything there is to say about it. */
export interface ShownRoot {
  readonly root: DatedRoot;
  readonly entries: readonly RootEntry[];
  readonly problems: readonly Diagnostic[];
  /** Where it came through TUF. */
  readonly tuf?: ShownTuf;
  /** Its signing configs; none of a file, which is but a root. */
  readonly signing: readonly ShownSigning[];
}

/** With which services one signs, as a signing config has it today. */
export interface ShownSigning {
  readonly file: string;
  readonly origin: string;
  readonly asOf: Date;
  readonly services: readonly string[];
  /** Why nobody can sign with it now. */
  readonly problem?: string;
}

export interface ShownTuf {
  readonly mirror: string;
  /** Versions of the metadata; absent where it is not known yet. */
  readonly root: number;
  readonly timestamp?: number;
  readonly snapshot?: number;
  readonly targets?: number;
  /** Until when the mirror's word is good. */
  readonly expires?: Date;
}

export interface JsonTrust {
  readonly format: typeof trustFormat;
  readonly roots: readonly JsonShownRoot[];
}

export interface JsonShownRoot extends JsonRoot {
  readonly tuf: JsonTuf | null;
  readonly entries: readonly {
    readonly kind: string;
    readonly uri: string;
    readonly start: string;
    readonly end: string | null;
  }[];
  readonly problems: readonly {
    readonly severity: string;
    readonly code: string;
    readonly path: string;
    readonly message: string;
  }[];
  readonly signing: readonly {
    readonly file: string;
    readonly origin: string;
    readonly asOf: string;
    readonly services: readonly string[];
    readonly problem: string | null;
  }[];
}

export interface JsonTuf {
  readonly mirror: string;
  readonly root: number;
  readonly timestamp: number | null;
  readonly snapshot: number | null;
  readonly targets: number | null;
  readonly expires: string | null;
}

/** For people, with a line feed at its end. */
export function toTrustText(roots: readonly ShownRoot[], now: Date): string {
  return `${roots.map((root) => rootLines(root, now).join('\n')).join('\n\n')}\n`;
}

function rootLines({ entries, problems, root, signing, tuf }: ShownRoot, now: Date): readonly string[] {
  const age = plural(ageInDays(root, now), 'day');
  const known =
    root.asOf === undefined
      ? `newest entry ${formatDay(root.newest)}`
      : `${root.origin}, ${formatDay(root.asOf)}`;
  return [
    `${printable(root.source)}: ${age} old (${known})`,
    `  ${root.digest}`,
    ...(tuf === undefined
      ? []
      : [`  TUF root ${tuf.root}, timestamp ${tuf.timestamp ?? 'unknown'} of ${printable(tuf.mirror)}`]),
    ...entries.map(
      ({ end, kind, start, uri }) =>
        `  ${kind.padEnd(21)} ${formatDay(start)} to ${end === undefined ? 'now       ' : formatDay(end)}  ${printable(uri)}`,
    ),
    ...signing.map(
      ({ asOf, file, origin, problem, services }) =>
        `  ${file}, ${origin}, ${formatDay(asOf)}: ${printable(problem ?? services.join(', '), 2000)}`,
    ),
    ...(problems.length === 0 ? [] : [formatChecked(problems, '  ').trimEnd()]),
  ];
}

/** With two blanks of indent and a line feed at the end. */
export function toTrustJson(roots: readonly ShownRoot[], now: Date): string {
  const document: JsonTrust = {
    format: trustFormat,
    roots: roots.map(({ entries, problems, root, signing, tuf }) => ({
      ...toJsonRoot(root, now),
      tuf: tuf === undefined ? null : toJsonTuf(tuf),
      entries: entries.map(({ end, kind, start, uri }) => ({
        kind,
        uri,
        start: start.toISOString(),
        end: end?.toISOString() ?? null,
      })),
      problems: problems.map(({ code, level, message, subject = '' }) => ({
        severity: level,
        code,
        path: subject,
        message,
      })),
      signing: signing.map(({ asOf, file, origin, problem, services }) => ({
        file,
        origin,
        asOf: asOf.toISOString(),
        services,
        problem: problem ?? null,
      })),
    })),
  };
  return formatJson(document, 2);
}

function toJsonTuf({ expires, mirror, root, snapshot, targets, timestamp }: ShownTuf): JsonTuf {
  return {
    mirror,
    root,
    timestamp: timestamp ?? null,
    snapshot: snapshot ?? null,
    targets: targets ?? null,
    expires: expires?.toISOString() ?? null,
  };
}
