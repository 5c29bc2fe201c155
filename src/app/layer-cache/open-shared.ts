import { compact } from '../../base/compact.ts';
import { askedWrongly, TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Bucket, openBucket } from '../../registry/s3/bucket.ts';
import type { Host } from '../../system/host.ts';
import { type Network, openUserRegistry, openUserTransport } from '../network.ts';
import { openSigning, type SigningRequest } from '../sign/signing.ts';
import { loadPolicies } from '../trust/policies.ts';
import { loadTrust } from '../trust/trust.ts';
import type { CachePlace } from './cache-place.ts';
import { bucketEntries, type EntryStore, registryEntries } from './entry-store.ts';
import { layerCode } from './layer-cache.ts';
import type { CacheJudge } from './proof.ts';
import { openSharedCache, type SharedCache } from './shared-cache.ts';

/** A cache of layers that is shared with others. */
export interface SharedCacheRequest {
  readonly from: readonly CachePlace[];
  readonly to: readonly CachePlace[];
  /** As for a verification: a policy beside those of machine, user and project. */
  readonly policy?: string;
  readonly trustedRoot?: string;
  /** Who signs what is written; needed where something is. */
  readonly signing?: SigningRequest;
  readonly network?: Network;
}

/**
 * Opens the places, with the policies that say whose word counts and the signer of what is written. Nothing
 * of the places is asked yet.
 *
 * @throws TcfError (exit 3) for what was asked wrongly, and as policies and signers do.
 */
export async function openSharedLayers(host: Host, request: SharedCacheRequest): Promise<SharedCache> {
  const { from, network, signing, to } = request;
  const judges = from.length === 0 ? [] : await openJudges(host, request);
  const stores = new Map<string, EntryStore>();
  const open = async (places: readonly CachePlace[]): Promise<readonly EntryStore[]> => {
    const opened: EntryStore[] = [];
    for (const place of places) {
      const key = JSON.stringify(place);
      const store = stores.get(key) ?? (await openStore(host, place, network));
      stores.set(key, store);
      opened.push(store);
    }
    return opened;
  };
  return openSharedCache(
    host,
    compact({
      code: layerCode(),
      from: await open(from),
      to: await open(to),
      judges,
      signing: to.length === 0 ? undefined : await openSigning(host, signing ?? {}, 'checked'),
    }),
  );
}

/**
 * The policies that name signers, each with its own trust. A project can only ask for more: what comes with
 * an image must not say whose word about it counts.
 */
async function openJudges(
  host: Host,
  { policy, trustedRoot }: SharedCacheRequest,
): Promise<readonly CacheJudge[]> {
  const policies = (await loadAny(host, policy)).filter(({ layerCache }) => layerCache.length > 0);
  if (policies.every(({ origin }) => origin === 'project')) {
    await host.stderr.write(
      'tcf: warning: the shared cache of layers is not read: no policy says whose entries count\n' +
        'tcf: hint: name them in a policy: layerCache: { signers: [...] }\n',
    );
    return [];
  }
  return await Promise.all(
    policies.map(async (one) => ({ policy: one, trust: await loadTrust(host, one, trustedRoot) })),
  );
}

async function loadAny(host: Host, given: string | undefined): ReturnType<typeof loadPolicies> {
  try {
    return await loadPolicies(host, given);
  } catch (error) {
    if (error instanceof TcfError && error.code === 'policy.none') {
      return [];
    }
    throw error;
  }
}

async function openStore(host: Host, place: CachePlace, network: Network | undefined): Promise<EntryStore> {
  return place.kind === 'registry'
    ? registryEntries(await openUserRegistry(host, network), place.repository)
    : bucketEntries(await openUserBucket(host, place, network));
}

/** With the variables that every client of such stores reads. */
async function openUserBucket(
  host: Host,
  { bucket, endpoint, region }: Extract<CachePlace, { kind: 's3' }>,
  network: Network | undefined,
): Promise<Bucket> {
  const { env } = host;
  const where = region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'us-east-1');
  const asked =
    endpoint ??
    (env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || `https://s3.${where}.amazonaws.com`);
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = env['AWS_SESSION_TOKEN'] || undefined;
  return openBucket(
    compact({
      ...bucket,
      transport: await openUserTransport(host, network),
      endpoint: readEndpoint(asked, network?.allowHttp ?? false),
      region: where,
      credentials:
        accessKeyId && secretAccessKey ? compact({ accessKeyId, secretAccessKey, sessionToken }) : undefined,
      now: host.now,
    }),
  );
}

/** @throws TcfError `s3.endpoint` (exit 3). */
function readEndpoint(text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isBare = url !== undefined && url.pathname === '/' && url.search === '' && url.username === '';
  if (!isBare || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw askedWrongly('s3.endpoint', `${quoted(text)} is not the address of a store`, {
      hint: 'https://HOST[:PORT], without a path',
    });
  }
  if (url.protocol === 'http:' && !allowHttp) {
    throw askedWrongly('s3.endpoint', `will not speak plain HTTP to ${quoted(text)}`, {
      hint: 'use https://; a store on this machine needs --allow-http',
    });
  }
  return url;
}
