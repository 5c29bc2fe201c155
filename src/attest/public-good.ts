import { encodeUtf8 } from '../base/bytes.ts';
import plainConfig from './data/signing-config.json' with { type: 'json' };
import secondConfig from './data/signing-config-rekor-2.json' with { type: 'json' };
import root from './data/trusted-root.json' with { type: 'json' };
import type { SigningConfigName } from './tuf/update.ts';

/** When this root and these signing configs were the current ones. */
export const publicGoodDate: Date = new Date('2026-08-21T19:25:56Z');

/**
 * The trusted root of the public Sigstore instance that tcf carries byte for byte (see `data/NOTICE` for
 * where it is from and when).
 */
export function publicGoodRoot(): Uint8Array {
  return asServed(root);
}

/** The services of the public Sigstore instance, under the names and with the bytes of its TUF targets. */
export function publicGoodSigningConfigs(): Readonly<Record<SigningConfigName, Uint8Array>> {
  return {
    'signing_config.v0.2.json': asServed(plainConfig),
    'signing_config_rekor_v2.v0.2.json': asServed(secondConfig),
  };
}

function asServed(document: object): Uint8Array {
  return encodeUtf8(`${JSON.stringify(document, undefined, 2)}\n`);
}
