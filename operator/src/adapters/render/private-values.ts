import { isJsonObject } from '../../model/json.ts';
import type { RenderRequest } from '../../world/renderer.ts';

/** Names under which people put what nobody else may read. Names of Secrets, such as that under `existingSecret`, are none. */
const privateName =
  /(?:passw(?:or)?d|passphrase|token|credentials?|(?:api|private|secret|access|signing|encryption)[-_]?key|(?:client|shared|webhook|cookie|session)[-_]?secret)$/i;
/** A line of YAML with a key and a plain or quoted value. */
const line = /^\s*(?:- +)?["']?([\w.-]{1,200})["']?:[ \t]+(\S.*)$/;
/** Fields of an item that has a `name`, as parameters and variables have, in which its value stands. */
const itemFields: ReadonlySet<string> = new Set(['value', 'string']);
/** A switch is nobody's secret. */
const switches: ReadonlySet<string> = new Set(['true', 'false']);

/**
 * What a source itself gives to its renderer that must not be repeated by who says why it does not render, such as a chart's own `fail`: the user information of
 * the repository's address, which the build environment holds, and options whose names say that they are private.
 */
export function privateValues({ repository, options }: Pick<RenderRequest, 'repository' | 'options'>): Set<string> {
  const values = new Set<string>();
  const add = (value: unknown): void => {
    if (typeof value === 'string' && !switches.has(value)) values.add(value).add(value.trim());
    else if (Array.isArray(value)) for (const item of value) add(item);
    else if (isJsonObject(value)) for (const inner of Object.values(value)) add(inner);
  };
  const collect = (value: unknown, name: string): void => {
    if (privateName.test(name)) add(value);
    else if (typeof value === 'string' && value.includes('\n')) for (const each of value.split('\n')) addLine(each);
    else if (Array.isArray(value)) for (const item of value) collect(item, '');
    else if (isJsonObject(value)) {
      const own = typeof value['name'] === 'string' ? value['name'] : '';
      for (const [field, inner] of Object.entries(value)) collect(inner, itemFields.has(field) ? own : field);
    } else if (typeof value === 'string') addLine(value);
  };
  const addLine = (text: string): void => {
    const [, name = '', value = ''] = line.exec(text.slice(0, lineLength)) ?? [];
    if (privateName.test(name)) add(value.replace(/^(["'])(.*)\1$/, '$2'));
  };
  collect(options, '');
  for (const text of userInformation(repository)) add(text);
  return values;
}

/** Characters of a line that are looked at. */
const lineLength = 8_192;

function userInformation(address: string): string[] {
  const [, authority = ''] = /^[a-z][a-z0-9+.-]{0,30}:\/\/([^/?#]*)/i.exec(address) ?? [];
  const at = authority.lastIndexOf('@');
  if (at < 0) return [];
  const colon = authority.slice(0, at).indexOf(':');
  const both = authority.slice(0, at);
  // A user alone is a token, or the login of SSH, which every address of its kind has.
  if (colon < 0) return /^ssh:/i.test(address) ? [] : [both, plain(both)];
  const password = authority.slice(colon + 1, at);
  return [both, password, plain(password)];
}

/** Without the escapes of a URL; as it is where they are none. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
