import { resolve } from 'node:path';
import type { ApplicationSource } from '@mooring/crds';
import { isJsonObject, setOwn } from '@mooring/operator/model/json.ts';
import { type Checkout, pathInside } from './checkout.ts';
import { Failure } from './failure.ts';

/** Options of the command line that only charts have. */
export interface HelmOptions {
  readonly values?: readonly string[];
  readonly set?: readonly string[];
  readonly setString?: readonly string[];
  readonly setFile?: readonly string[];
  readonly setJson?: readonly string[];
  readonly skipTests?: boolean;
  readonly ignoreMissingValueFiles?: boolean;
}

/** Their names on the command line. */
export const helmFlags: Readonly<Record<keyof HelmOptions, string>> = {
  values: '--values',
  set: '--set',
  setString: '--set-string',
  setFile: '--set-file',
  setJson: '--set-json',
  skipTests: '--skip-tests',
  ignoreMissingValueFiles: '--ignore-missing-value-files',
};

/** The flags among them that were given. */
export function givenFlags(options: HelmOptions): readonly string[] {
  const names = Object.keys(helmFlags) as (keyof HelmOptions)[];
  return names.filter((name) => options[name] !== undefined).map((name) => helmFlags[name]);
}

/** What they amount to in an Application; undefined where none is given. As with Helm, `--set-json` wins over files, and the other `--set…` over it. Throws `Failure`. */
export function helmOf(options: HelmOptions, checkout: Checkout): ApplicationSource['helm'] {
  if (givenFlags(options).length === 0) return undefined;
  const { set = [], setString = [], setFile = [], setJson = [] } = options;
  return {
    valueFiles: (options.values ?? []).map((file) => inRepository(file, checkout, 'value files')),
    ...(setJson.length > 0 && { valuesObject: jsonValues(setJson) }),
    parameters: [
      ...set.map((text) => pair('--set', text)),
      ...setString.map((text) => ({ ...pair('--set-string', text), forceString: true })),
    ],
    fileParameters: setFile.map((text) => {
      const { name, value } = pair('--set-file', text);
      return { name, path: inRepository(value, checkout, 'files of --set-file') };
    }),
    ...(options.skipTests && { skipTests: true }),
    ...(options.ignoreMissingValueFiles && { ignoreMissingValueFiles: true }),
  };
}

/** Paths with a leading `/` are found from the root of the repository. */
function inRepository(file: string, checkout: Checkout, what: string): string {
  const path = pathInside(checkout.root, resolve(file));
  if (path === undefined) throw new Failure(`${file}: ${what} must be inside ${checkout.root}; copy it there`);
  return `/${path}`;
}

function pair(flag: string, text: string): { name: string; value: string } {
  const sign = text.indexOf('=');
  if (sign < 1) throw new Failure(`${flag} ${text}: write it as path=value, such as image.tag=v2`);
  return { name: text.slice(0, sign), value: text.slice(sign + 1) };
}

/** One object of all texts, each `path=JSON` or a JSON object. */
function jsonValues(texts: readonly string[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const text of texts) {
    if (text.trimStart().startsWith('{')) {
      const object = jsonOf(text, text);
      if (isJsonObject(object)) merge(values, object);
      continue;
    }
    const { name, value } = pair('--set-json', text);
    if (/[[\]\\]/.test(name)) {
      throw new Failure(
        `--set-json ${text}: a path has names with dots between them; give lists and other names whole, as JSON`,
      );
    }
    const [last = '', ...parents] = name.split('.').reverse();
    const start: Record<string, unknown> = {};
    setOwn(start, last, jsonOf(value, text));
    merge(
      values,
      parents.reduce<Record<string, unknown>>((inner, parent) => {
        const outer: Record<string, unknown> = {};
        setOwn(outer, parent, inner);
        return outer;
      }, start),
    );
  }
  return values;
}

function jsonOf(json: string, text: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new Failure(`--set-json ${text}: the value is no JSON; write texts in double quotes: name='"text"'`);
  }
}

function merge(into: Record<string, unknown>, from: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(from)) {
    const before = Object.hasOwn(into, key) ? into[key] : undefined;
    if (isJsonObject(before) && isJsonObject(value)) merge(before, value);
    else setOwn(into, key, value);
  }
}
