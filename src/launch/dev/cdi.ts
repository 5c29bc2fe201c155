import { dirname } from 'node:path';

/** Where every runtime looks, the last with the most weight (CDI specification, "Overall"). */
export const cdiFolders: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

/** A CDI file of the machine. */
export interface CdiFile {
  readonly path: string;
  /** `nvidia.com/gpu=all`; none where the file cannot be read. */
  readonly devices: readonly string[];
  /**
   * Device nodes and libraries of the host that the file names and that are not there: it is older than the
   * driver.
   */
  readonly missing: readonly string[];
  readonly problem?: string;
}

/** What runtimes make of all files together. */
export interface CdiView {
  /** The devices that a container can have. */
  readonly devices: readonly string[];
  /** Devices that two files of one folder name: runtimes refuse those. */
  readonly conflicts: readonly { readonly device: string; readonly paths: readonly string[] }[];
  /** The file by which each device is given. */
  readonly givenBy: ReadonlyMap<string, CdiFile>;
}

/**
 * A file of the later folder wins over those before, device by device; within a folder nothing wins.
 *
 * @param files in the order of `cdiFolders`.
 */
export function viewCdi(files: readonly CdiFile[]): CdiView {
  const named = new Map<string, CdiFile[]>();
  for (const file of files) {
    for (const device of file.devices) {
      const before = named.get(device) ?? [];
      const isSameFolder = before[0] !== undefined && dirname(before[0].path) === dirname(file.path);
      named.set(device, isSameFolder ? [...before, file] : [file]);
    }
  }
  const all = [...named];
  return {
    devices: all.filter(([, by]) => by.length === 1).map(([device]) => device),
    conflicts: all
      .filter(([, by]) => by.length > 1)
      .map(([device, by]) => ({ device, paths: by.map(({ path }) => path) })),
    givenBy: new Map(
      all.flatMap(([device, [file, ...more]]) => (file && more.length === 0 ? [[device, file]] : [])),
    ),
  };
}
