/** A version as Semantic Versioning 2.0.0 has it; `v` in front and missing parts (`1.2`) are allowed, as Masterminds/semver allows them. */
interface Version {
  readonly numbers: readonly [number, number, number];
  readonly prerelease: readonly string[];
}

type Test = (version: Version) => boolean;

const versionText = /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const rangePart =
  /^(=|==|!=|>|>=|=>|<|<=|=<|~|~>|\^)?\s*v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

function parseVersion(text: string): Version | undefined {
  const match = versionText.exec(text);
  if (match === null) return undefined;
  const [, major, minor = '0', patch = '0', prerelease] = match;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    prerelease: prerelease === undefined ? [] : prerelease.split('.'),
  };
}

function compare(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    const difference = a.numbers[index] - b.numbers[index];
    if (difference !== 0) return difference;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (let index = 0; index < Math.max(a.prerelease.length, b.prerelease.length); index += 1) {
    const left = a.prerelease[index];
    const right = b.prerelease[index];
    if (left === right) continue;
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const leftIsNumber = /^\d+$/.test(left);
    const rightIsNumber = /^\d+$/.test(right);
    if (leftIsNumber && rightIsNumber) return Number(left) - Number(right);
    if (leftIsNumber !== rightIsNumber) return leftIsNumber ? -1 : 1;
    return left < right ? -1 : 1;
  }
  return 0;
}

function testOf(text: string): { readonly test: Test; readonly namesPrerelease: boolean } | undefined {
  const match = rangePart.exec(text);
  if (match === null) return undefined;
  const [, operator = '', ...rest] = match;
  const written = rest
    .slice(0, 3)
    .map((part) => (part === undefined || /^[xX*]$/.test(part) ? undefined : Number(part)));
  const given = written.indexOf(undefined) < 0 ? 3 : written.indexOf(undefined);
  const prerelease = rest[3] === undefined ? [] : rest[3].split('.');
  const numbers = [0, 1, 2].map((index) => (index < given ? (written[index] ?? 0) : 0)) as [number, number, number];
  const low: Version = { numbers, prerelease };
  // The first version that no longer has the first `count` numbers of this one.
  const after = (count: number): Version => ({
    numbers: [0, 1, 2].map((index) =>
      index < count - 1 ? numbers[index] : index === count - 1 ? (numbers[index] ?? 0) + 1 : 0,
    ) as [number, number, number],
    prerelease: ['0'],
  });
  const within = (count: number): Test =>
    count === 0 ? () => true : (version) => compare(version, low) >= 0 && compare(version, after(count)) < 0;
  const bare: Test = given === 3 ? (version) => compare(version, low) === 0 : within(given);
  const base = ((): Test => {
    switch (operator) {
      case '!=':
        return (version) => !bare(version);
      case '>':
        return given === 3
          ? (version) => compare(version, low) > 0
          : (version) => given > 0 && compare(version, after(given)) >= 0;
      case '>=':
      case '=>':
        return (version) => compare(version, low) >= 0;
      case '<':
        return (version) => compare(version, low) < 0;
      case '<=':
      case '=<':
        return given === 3
          ? (version) => compare(version, low) <= 0
          : (version) => given === 0 || compare(version, after(given)) < 0;
      case '~':
      case '~>':
        return within(Math.min(given, 2));
      case '^': {
        const firstSet = numbers.findIndex((number) => number !== 0);
        return within(firstSet < 0 ? given : Math.min(firstSet + 1, given));
      }
      default:
        return bare;
    }
  })();
  return { test: base, namesPrerelease: prerelease.length > 0 };
}

/** The longest range, in characters: that of a revision. */
const rangeLength = 256;

function parseRange(text: string): Test | undefined {
  if (text.length > rangeLength) return undefined;
  const alternatives: Test[] = [];
  for (const alternative of text.split('||')) {
    const spelled = alternative
      .trim()
      .replace(/^(\S+)\s+-\s+(\S+)$/, '>=$1, <=$2')
      .replace(/(^|[\s,])(=|==|!=|>|>=|=>|<|<=|=<|~|~>|\^)\s+/g, '$1$2');
    const parts = spelled.split(/[\s,]+/).filter((part) => part !== '');
    const tests = parts.map(testOf);
    if (tests.length === 0 || tests.includes(undefined)) return undefined;
    // A pre-release is only taken where one of the parts names one, as Masterminds/semver has it since 3.4.
    const takesPrereleases = tests.some((part) => part?.namesPrerelease === true);
    alternatives.push(
      (version) =>
        (takesPrereleases || version.prerelease.length === 0) && tests.every((part) => part?.test(version) === true),
    );
  }
  return (version) => alternatives.some((test) => test(version));
}

/** Whether `text` is a range of versions (`1.*`, `^1.2`, `>=1 <2`, `1.2 - 1.4`, `~1.2 || 3.x`) and not one version. */
export function isVersionRange(text: string): boolean {
  return text !== '' && parseVersion(text) === undefined && parseRange(text) !== undefined;
}

/** The highest of `names` that is a version inside `range`; undefined where none is. */
export function bestVersion(names: readonly string[], range: string): string | undefined {
  const test = parseRange(range);
  let best: { name: string; version: Version } | undefined;
  for (const name of names) {
    const version = parseVersion(name);
    if (version === undefined || test?.(version) !== true) continue;
    if (best === undefined || compare(version, best.version) > 0) best = { name, version };
  }
  return best?.name;
}
