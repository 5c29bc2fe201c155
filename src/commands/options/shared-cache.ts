import type { Command } from 'commander';
import { parseCachePlace } from '../../app/layer-cache/cache-place.ts';
import type { SharedCacheRequest } from '../../app/layer-cache/open-shared.ts';
import { compact } from '../../base/compact.ts';
import { askedWrongly } from '../../base/error.ts';
import { collectOption, listOption, type Options, textOption } from './bag.ts';
import { readNetwork } from './network.ts';
import { readSigningRequest, signerFlags } from './signing.ts';

export function declareSharedCache(command: Command): void {
  command
    .option(
      '--cache-from <place>',
      'take what others have read in layers, if a policy names its signers (layerCache): registry/repository or s3://bucket/prefix; may be given again',
      collectOption,
      [],
    )
    .option(
      '--cache-to <place>',
      'put what is read there for others, signed; may be given again',
      collectOption,
      [],
    );
}

/** Whether a policy is asked about a shared cache. */
export function readsSharedCache(options: Options): boolean {
  return listOption(options, 'cacheFrom').length > 0;
}

/**
 * @returns `undefined` where no cache is shared.
 * @throws TcfError `cache.signer`, `cache.place`, `s3.name`, `reference.*`, and as `readSigningRequest` (exit
 * 3).
 */
export function readSharedCache(options: Options): SharedCacheRequest | undefined {
  const [from = [], to = []] = ['cacheFrom', 'cacheTo'].map((name) =>
    listOption(options, name).map(parseCachePlace),
  );
  const signer = Object.entries(signerFlags).find(([name]) => textOption(options, name) !== undefined);
  if (to.length === 0 && signer !== undefined) {
    throw askedWrongly('cache.signer', `${signer[1]} signs what --cache-to writes, and that is not given`, {
      hint: 'tcf sign signs an image',
    });
  }
  if (from.length === 0 && to.length === 0) {
    return undefined;
  }
  const signing = to.length === 0 ? undefined : readSigningRequest(options);
  if (signing?.signer?.kind === 'keyless' && signing.signer.token === undefined) {
    throw askedWrongly('cache.signer', '--cache-to writes signed entries, and no signer is given', {
      hint: 'give --key FILE (tcf keygen makes one) or --identity-token',
    });
  }
  return compact({
    from,
    to,
    policy: textOption(options, 'policy'),
    trustedRoot: textOption(options, 'trustedRoot'),
    signing,
    network: readNetwork(options),
  });
}
