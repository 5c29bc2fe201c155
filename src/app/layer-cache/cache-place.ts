import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import type { Repository } from '../../registry/contract.ts';
import { type BucketPlace, parseBucketPlace } from '../../registry/s3/bucket.ts';
import { parseRegistryName } from '../registries.ts';

/** Where a shared cache lies. */
export type CachePlace =
  | { readonly kind: 'registry'; readonly repository: Repository }
  | {
      readonly kind: 's3';
      readonly bucket: BucketPlace;
      /** In place of what the environment says. */
      readonly region?: string;
      readonly endpoint?: string;
    };

const hint =
  'write REGISTRY/REPOSITORY, s3://BUCKET/PREFIX, or as BuildKit: type=registry,ref=..., type=s3,bucket=...,region=...';

/**
 * Reads a place as it is typed: `REGISTRY/REPOSITORY`, `s3://BUCKET[/PREFIX]`, or in BuildKit's form
 * `type=registry,ref=...` and `type=s3,bucket=...` with `region`, `prefix` and `endpoint_url`.
 *
 * @throws TcfError `cache.place`, `s3.name`, `reference.*` (exit 3).
 */
export function parseCachePlace(text: string): CachePlace {
  if (text.startsWith('s3://')) {
    return { kind: 's3', bucket: parseBucketPlace(text.slice('s3://'.length)) };
  }
  return text.startsWith('type=') ? readFields(text) : registryPlace(text);
}

function registryPlace(text: string): CachePlace {
  const { digest, registry, repository, tag } = parseRegistryName(text, 'sbom');
  if (digest === undefined && (tag === undefined || tag === 'latest')) {
    return { kind: 'registry', repository: { registry, repository } };
  }
  throw askedWrongly('cache.place', `${quoted(text)} names one tag, and a cache has one for each layer`, {
    hint,
  });
}

const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  registry: ['ref'],
  s3: ['bucket', 'endpoint_url', 'prefix', 'region'],
};

function readFields(text: string): CachePlace {
  const pairs = text.split(',').map((part) => /^(\w+)=(.+)$/.exec(part)?.slice(1) ?? [part, '']);
  const fields = new Map(pairs.map(([name = '', value = '']) => [name, value]));
  const type = fields.get('type') ?? '';
  const known = Object.hasOwn(fieldsOf, type) ? fieldsOf[type] : undefined;
  const foreign = [...fields.keys()].find((name) => name !== 'type' && !known?.includes(name));
  const [needed = ''] = known ?? [];
  const main = fields.get(needed) ?? '';
  if (known === undefined || foreign !== undefined || fields.size < pairs.length || main === '') {
    throw askedWrongly('cache.place', `tcf cannot read ${quoted(text)} as the place of a cache`, { hint });
  }
  if (type === 'registry') {
    return registryPlace(main);
  }
  const [prefix, region, endpoint] = ['prefix', 'region', 'endpoint_url'].map((name) => fields.get(name));
  return {
    kind: 's3',
    bucket: parseBucketPlace(prefix === undefined ? main : `${main}/${prefix.replace(/^\/|\/$/g, '')}`),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
