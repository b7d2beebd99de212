declare module '@dsherret/to-absolute-glob' {
  /** A glob made absolute: joined to `cwd`, or to `root` where it begins with `/`. A leading `!` stays. */
  export default function toAbsoluteGlob(
    glob: string,
    options: { readonly cwd: string; readonly root: string },
  ): string;
}
