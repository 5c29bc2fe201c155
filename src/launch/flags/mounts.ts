import { mountFields, splitOutsideVariables } from './values.ts';

/** A place of the host, or a volume, in the container. */
export interface Mount {
  /** A path or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/**
 * The mounts among the words of the engine (`--volume=...`, `--mount=...`), but for those without a source.
 */
function mountsOf(words: readonly string[]): readonly Mount[] {
  return words.flatMap((word) => {
    const [, flag, value = ''] = /^--(volume|mount)=(.*)$/s.exec(word) ?? [];
    if (flag === undefined) {
      return [];
    }
    const mount = flag === 'volume' ? fromVolume(value) : fromMount(value);
    return mount.source === '' || mount.target === '' ? [] : [mount];
  });
}

function fromVolume(value: string): Mount {
  const [source = '', target = '', options = ''] = splitOutsideVariables(value);
  return { source, target, isReadOnly: /(?:^|,)(?:ro|readonly)(?:,|$)/.test(options) };
}

function fromMount(value: string): Mount {
  const fields = mountFields(value);
  const of = (...keys: readonly string[]) =>
    fields.findLast(([key]) => keys.includes(key.toLowerCase()))?.[1] ?? '';
  const readOnly = fields.find(([key]) => /^(?:ro|readonly)$/i.test(key));
  return {
    source: of('source', 'src'),
    target: of('target', 'destination', 'dst'),
    isReadOnly: readOnly !== undefined && !/^(?:false|0)$/i.test(readOnly[1]),
  };
}

/** Variables that say where Triton and torch keep what they compiled. */
const cacheVariable = /^--env=(?:TRITON_CACHE_DIR|TRITON_HOME|TORCHINDUCTOR_CACHE_DIR)=(\/.*)$/s;
/** Where they keep it by themselves. */
const cachePlace = /(?:^|\/)(?:\.triton|torchinductor_[^/]*)(?:\/|$)/;

/**
 * The mounts in which Triton or torch keep compiled kernels: by their places, or by the variables that name
 * others.
 *
 * @param words of the engine, each with its value.
 * @param holdsCache whether a place of the host has such a cache in it.
 */
export function cachesAmong(
  words: readonly string[],
  holdsCache: (source: string) => boolean,
): readonly Mount[] {
  const named = words.flatMap((word) => cacheVariable.exec(word)?.[1] ?? []);
  return mountsOf(words).filter(
    ({ source, target }) =>
      cachePlace.test(source) ||
      cachePlace.test(target) ||
      named.some((path) => isWithin(path, target) || isWithin(target, path)) ||
      holdsCache(source),
  );
}

const isWithin = (path: string, folder: string): boolean =>
  `${path.replace(/\/+$/, '')}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
