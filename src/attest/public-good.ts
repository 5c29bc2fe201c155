import { encodeUtf8 } from '../base/bytes.ts';
import root from './data/trusted-root.json' with { type: 'json' };

/** The trusted root of the public Sigstore instance that tcf carries (see `data/NOTICE` for where it is from and when). */
export function publicGoodRoot(): Uint8Array {
  return encodeUtf8(JSON.stringify(root));
}
