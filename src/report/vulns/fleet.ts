import { formatJson, plural, printable } from '../../base/text.ts';
import type { VulnScan } from '../../vulns/scan.ts';
import { affectedOf, doubtsOf } from '../../vulns/scan.ts';

/** The answer to "which of my images contain it". */
export interface FoundWhere {
  readonly images: readonly {
    readonly image: string;
    readonly tags: readonly string[];
    readonly found: readonly {
      readonly name: string;
      readonly version: string | undefined;
      readonly purl: string | undefined;
      readonly location: string | undefined;
      readonly note: string | undefined;
    }[];
  }[];
  /** Images whose attested SBOM was looked into. */
  readonly looked: number;
  readonly unknown: readonly {
    readonly image: string;
    readonly tags: readonly string[];
    readonly why: string;
  }[];
}

/** 0 found, 1 looked everywhere and found nothing, 2 not found where it could be looked for. */
export function exitOfWhich({ images, unknown }: FoundWhere): 0 | 1 | 2 {
  if (images.length > 0) {
    return 0;
  }
  return unknown.length > 0 ? 2 : 1;
}

export function toWhichJson(found: FoundWhere): string {
  return formatJson({ exit: exitOfWhich(found), ...found }, 2);
}

export function toWhichText({ images, looked, unknown }: FoundWhere): string {
  const lines = [
    ...images.flatMap(({ found, image, tags }) => [
      `${printable(image)}${tagList(tags)}`,
      ...found.map(({ location, name, note, version }) =>
        printable(
          `  ${name} ${version ?? 'of an unknown version'}${location === undefined ? '' : ` in ${location}`}${note === undefined ? '' : `: ${note}`}`,
          2000,
        ),
      ),
    ]),
    ...unknown.map(({ image, tags, why }) =>
      printable(`cannot tell about ${image}${tagList(tags)}: ${why}`, 2000),
    ),
    `${plural(images.length, 'image')} of ${looked} ${images.length === 1 ? 'has' : 'have'} it${unknown.length === 0 ? '' : `, and about ${plural(unknown.length, 'image')} nobody can tell`}`,
  ];
  return `${lines.join('\n')}\n`;
}

function tagList(tags: readonly string[]): string {
  return tags.length === 0
    ? ''
    : ` (${printable(tags.slice(0, 5).join(', '))}${tags.length > 5 ? ', ...' : ''})`;
}

/** What is vulnerable in each of some images. */
export type FleetScan = { readonly image: string; readonly tags: readonly string[] } & (
  | { readonly scan: VulnScan }
  | { readonly why: string }
);

export function exitOfFleet(images: readonly FleetScan[]): 0 | 1 | 2 {
  const isAffected = (one: FleetScan): boolean =>
    'scan' in one &&
    (affectedOf(one.scan).length > 0 || one.scan.updates.some(({ isSecurity }) => isSecurity));
  if (images.some(isAffected)) {
    return 1;
  }
  const isOpen = (one: FleetScan): boolean =>
    'why' in one || Object.values(doubtsOf(one.scan)).some((count) => count > 0);
  return images.some(isOpen) ? 2 : 0;
}

export function toFleetText(images: readonly FleetScan[], digest: string): string {
  const lines = images.map((one) => {
    const name = `${printable(one.image)}${tagList(one.tags)}`;
    if ('why' in one) {
      return printable(`${name}: cannot tell: ${one.why}`, 2000);
    }
    const affected = affectedOf(one.scan);
    const levels = Object.entries(Object.groupBy(affected, ({ severity }) => severity.level)).map(
      ([level, all = []]) => `${all.length} ${level}`,
    );
    const missing = one.scan.updates.filter(({ isSecurity }) => isSecurity).length;
    const { findings, unjudged, unread } = doubtsOf(one.scan);
    const parts = [
      affected.length === 0 ? 'no known vulnerability' : levels.join(', '),
      ...(missing === 0 ? [] : [`${plural(missing, 'update')} for security missing`]),
      ...(findings + unjudged + unread === 0
        ? []
        : [`${plural(findings + unjudged + unread, 'thing')} that nobody can tell`]),
    ];
    return `${name}: ${parts.join(', ')}`;
  });
  return `${lines.join('\n')}\ndata ${digest}\n`;
}

export function toFleetJson(images: readonly FleetScan[], digest: string): string {
  return formatJson(
    {
      exit: exitOfFleet(images),
      database: digest,
      images: images.map((one) =>
        'why' in one
          ? one
          : {
              image: one.image,
              tags: one.tags,
              affected: affectedOf(one.scan),
              updates: one.scan.updates,
              cannotTell: doubtsOf(one.scan),
            },
      ),
    },
    2,
  );
}
