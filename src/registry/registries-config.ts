/**
 * containers-registries.conf(5): which registry, mirror or alias a name means to podman, buildah and skopeo.
 */
export interface RegistriesConfig {
  /**
   * `unqualified-search-registries`; `undefined`: this file does not say. An empty one takes an earlier one
   * away.
   */
  readonly search: readonly string[] | undefined;
  /**
   * Short names without tag or digest to full ones; an empty value takes an alias of an earlier file away.
   */
  readonly aliases: ReadonlyMap<string, string>;
  readonly registries: readonly RegistryTable[];
}

/** One `[[registry]]`. */
export interface RegistryTable {
  /** `host[:port][/path...]`, possibly with a tag or a digest, or `*.host`. */
  readonly prefix: string;
  /** Replaces the prefix; empty if nothing is rewritten. */
  readonly location: string;
  readonly blocked: boolean;
  readonly insecure: boolean;
  readonly mirrors: readonly Mirror[];
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  /** For which references it is asked. */
  readonly pull: 'all' | 'digest-only' | 'tag-only';
}

export const noRegistriesConfig: RegistriesConfig = { search: undefined, aliases: new Map(), registries: [] };

/** Several files as one: a later file overrides an earlier one, table by table and alias by alias. */
export function mergeRegistriesConf(files: readonly RegistriesConfig[]): RegistriesConfig {
  const aliases = new Map<string, string>();
  const registries = new Map<string, RegistryTable>();
  for (const file of files) {
    for (const [name, value] of file.aliases) {
      aliases.set(name, value);
    }
    for (const table of file.registries) {
      registries.set(table.prefix, table);
    }
  }
  for (const [name, value] of aliases) {
    if (value === '') {
      aliases.delete(name);
    }
  }
  return {
    search: files.findLast(({ search }) => search !== undefined)?.search,
    aliases,
    registries: [...registries.values()],
  };
}
