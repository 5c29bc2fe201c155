import type { CycloneDxOptions } from '../cyclonedx.ts';
import type { JsonObject } from '../cyclonedx-component.ts';
import type { Bom } from '../model.ts';

/** One SBOM in the three forms that formats are made from; all three say the same. */
export interface MadeSbom {
  readonly bom: Bom;
  /** How `document` was made. */
  readonly options: CycloneDxOptions;
  /** The document of `toCycloneDx`. */
  readonly document: JsonObject;
}

/** Variables of the environment, for formats that name the workflow in which they were written. */
export type FormatEnvironment = Readonly<Record<string, string | undefined>>;

/** An output format of an SBOM: one file in this folder and one line in `index.ts`. */
export interface SbomFormat {
  /** As it is named behind `--format`: lower case, stable. */
  readonly name: string;
  /** For the help, a few words. */
  readonly summary: string;
  /** Whether the text depends on the environment. */
  readonly readsEnvironment?: true;
  /** Versions of its specification that can be asked for, the default first; absent: there is one form. */
  readonly specVersions?: readonly string[];
  /** The one that was chosen. */
  readonly version?: string;
  /**
   * The SBOM as text with a line feed at its end. The same SBOM and environment give the same bytes.
   * CycloneDX has the version of `options` and needs none here.
   */
  write(sbom: MadeSbom, env: FormatEnvironment, version?: string): string;
}
