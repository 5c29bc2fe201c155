import { deflateRawSync } from 'node:zlib';
import { printable } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { labelOfKind } from '../inside/kinds.ts';
import { labelOfLicense } from '../inside/license-label.ts';
import type { PageLayer } from './facts.ts';
import type { PackedPage, PackedRow } from './packed.ts';

/** A name of a package is shorter; whatever is longer is cut, here and nowhere else. */
const maxCell = 300;
const cell = (text: string): string => printable(text, maxCell);

export function packPage({ items }: BomContents, layers: readonly PageLayer[]): PackedPage {
  const kinds = placesOf(items.map(({ kind }) => kind));
  const licenses = placesOf(items.flatMap((item) => licenseOf(item) ?? []));
  const layerPlaces = new Map(layers.map(({ index }, at) => [index, at]));
  const row = (item: ContentItem): PackedRow => {
    const { component, kind, layer, locations, needs, origin, owner, size } = item;
    const license = licenseOf(item);
    return [
      cell(component.name),
      cell(component.version ?? ''),
      cell(component.purl ?? ''),
      kinds.get(kind) ?? -1,
      license === undefined ? -1 : (licenses.get(license) ?? -1),
      layer === undefined ? -1 : (layerPlaces.get(layer) ?? -1),
      origin === undefined ? 0 : { base: 1, added: 2 }[origin],
      size ?? 0,
      owner ?? -1,
      cell(locations[0] ?? ''),
      needs ?? 0,
    ];
  };
  return {
    kinds: [...kinds.keys()].map((kind) => [cell(kind), cell(labelOfKind(kind))]),
    licenses: [...licenses.keys()].map(cell),
    layers: layers.map(({ bytes, index, step }) => [index, cell(step ?? ''), bytes ?? 0]),
    rows: items.map(row),
  };
}

function licenseOf({ licenses }: ContentItem): string | undefined {
  return licenses.length === 0 ? undefined : labelOfLicense(licenses.join('; '));
}

/** Each text once, the most frequent first. */
function placesOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const groups = [...Map.groupBy(texts, (text) => text)].sort(([, a], [, b]) => b.length - a.length);
  return new Map(groups.map(([text], at) => [text, at]));
}

/** The data of a page as it stands in it: JSON, deflated (RFC 1951), in base64. */
export function packData(page: PackedPage): string {
  return deflateRawSync(JSON.stringify(page), { level: 9 }).toString('base64');
}
