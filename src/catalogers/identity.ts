import { compact } from '../base/compact.ts';
import type { Identity, IdentityMethod } from '../bom/model.ts';

/** What one method identified, with the confidence of that method. */
export function identifiedBy(
  field: Identity['field'],
  method: IdentityMethod,
  concludedValue?: string,
): readonly [Identity] {
  return [compact({ field, confidence: method.confidence, concludedValue, methods: [method] })];
}
