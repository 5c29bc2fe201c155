import { encodeUtf8 } from '../base/bytes.ts';
import root from './data/trusted-root.json' with { type: 'json' };

/** When this root was the current one. */
export const publicGoodDate: Date = new Date('2026-08-21T19:25:56Z');

/** The trusted root of the public Sigstore instance that tcf carries byte for byte (see `data/NOTICE` for where it is from and when). */
export function publicGoodRoot(): Uint8Array {
  return encodeUtf8(`${JSON.stringify(root, undefined, 2)}\n`);
}
