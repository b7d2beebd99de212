/** A part of the image that others wrote. */
export interface Component {
  readonly type: 'library' | 'application';
  /** Scope of an npm package, such as `@kubernetes`. */
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  /** Package URL (ECMA-427): the part's name in the world. */
  readonly purl: string;
  /** Name in NIST's dictionary (CPE 2.3), where advisories go by that. */
  readonly cpe?: string;
  /** Identifiers of SPDX, or names where SPDX has none; empty where it is not known. */
  readonly licenses: readonly string[];
  /** Texts of its licence and notices; absent where they lie elsewhere in the image. */
  readonly licenseText?: string;
}
