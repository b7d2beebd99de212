/** Kinds of machines that there is an image for, by the names that Debian and OCI have for them. */
export type Arch = 'amd64' | 'arm64';

export const everyArch: readonly Arch[] = ['amd64', 'arm64'];

/** This machine's. Throws on any other kind. */
export function machineArch(): Arch {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new Error(`there is no image for ${process.arch}, only for ${everyArch.join(' and ')}: name one`);
}
