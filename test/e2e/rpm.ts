import { join } from 'node:path';
import { type Graph, propertyOf, type Truth } from './graph.ts';
import { must } from './support.ts';

/** What `rpm-truth.py` prints. */
export interface RpmTruth extends Truth {
  /** The id of the key that signed each package, or empty. */
  readonly keys: Readonly<Record<string, string>>;
}

/**
 * The packages of a database of SQLite with their dependencies, as rpm's own library resolves them, inside
 * `root`.
 */
export async function rpmTruth(dbpath: string, root = '/'): Promise<RpmTruth> {
  const script = join(import.meta.dirname, 'rpm-truth.py');
  return JSON.parse(await must('/usr/bin/python3', [script, dbpath, root])) as RpmTruth;
}

/** The id of the key of each package as tcf tells it, or empty. */
export function keysOf(graph: Graph): Readonly<Record<string, string>> {
  return Object.fromEntries(
    graph.packages.map((name) => [name, propertyOf(graph, name, 'tcf:rpm:signature:key-id')]),
  );
}
