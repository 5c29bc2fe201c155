import type { Property } from '../bom/model.ts';

/** Sixteen terabytes: whatever says more does not say a size. */
const maxSize = 2 ** 44;

/**
 * How many bytes a package says that its files take: for people who wonder what makes an image large, and
 * nothing that anybody has measured. Nothing where it says none, or zero.
 */
export function sizeProperties(bytes: number | undefined): readonly Property[] {
  const isSize = bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0 && bytes <= maxSize;
  return isSize ? [{ name: 'tcf:size', value: String(bytes) }] : [];
}

/** A whole number in decimal digits; `undefined` for anything else. */
export function toSize(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
