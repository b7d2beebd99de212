import type { Arch } from './arch.ts';

/** A package of Debian, exactly. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Of the `.deb` file, hexadecimal. */
  readonly sha256: string;
}

/** What `debian.lock.json` holds: the packages of the image, for each kind of machine in the order of their names. */
export interface DebianLock {
  /** Code name of the release of Debian. */
  readonly release: string;
  readonly packages: Readonly<Record<Arch, readonly LockedPackage[]>>;
}

/** What the registry serves of a package: all versions, and the one that apt would install. */
export interface Served {
  readonly all: readonly LockedPackage[];
  readonly candidate: LockedPackage | undefined;
}

/** What is taken of the packages that the image wants. */
export interface Choice {
  readonly packages: readonly LockedPackage[];
  /** What differs from the lock, a line each; empty where nothing does. */
  readonly differences: readonly string[];
}

/**
 * Takes what is locked where it is served, else what is there now. Throws where the lock does not name exactly the packages wanted, or one is not served at all.
 */
export function choose(
  wanted: readonly string[],
  locked: readonly LockedPackage[],
  served: ReadonlyMap<string, Served>,
): Choice {
  checkNames(wanted, locked);
  const differences: string[] = [];
  const packages = locked.map((one) => {
    const { all, candidate } = servedAs(one.name, served);
    if (all.some(({ version, sha256 }) => version === one.version && sha256 === one.sha256)) return one;
    differences.push(
      candidate.version === one.version
        ? `${one.name} ${one.version} is served as another file than the one in the lock`
        : `${one.name} ${one.version} is served no more, but ${candidate.version} is`,
    );
    return candidate;
  });
  return { packages, differences };
}

/** What a new lock holds for one kind of machine. Throws where a package is not served. */
export function newest(wanted: readonly string[], served: ReadonlyMap<string, Served>): LockedPackage[] {
  return wanted.toSorted().map((name) => servedAs(name, served).candidate);
}

/** Throws where the lock does not name exactly the packages wanted. */
export function checkNames(wanted: readonly string[], locked: readonly LockedPackage[]): void {
  const names = new Set(locked.map(({ name }) => name));
  const missing = wanted.filter((name) => !names.has(name));
  const left = [...names].filter((name) => !wanted.includes(name));
  if (missing.length === 0 && left.length === 0) return;
  const what = [
    ...missing.map((name) => `it lacks ${name}`),
    ...left.map((name) => `it has ${name}, which is not wanted`),
  ];
  throw new Error(`image/debian.lock.json: ${what.join(', ')}: run \`node image/main.ts --update-lock\``);
}

function servedAs(name: string, served: ReadonlyMap<string, Served>): Served & { candidate: LockedPackage } {
  const found = served.get(name);
  if (found?.candidate === undefined) throw new Error(`apt's sources have no package ${name}`);
  return { ...found, candidate: found.candidate };
}
