import type { Json } from './manifest.ts';
import { depthMax, type Event } from './parse.ts';
import { keyOf, resolvePlain, resolveTagged, type Scalar } from './scalar.ts';
import { YamlError } from './scan.ts';

/** What a document's events amount to. */
export interface Constructed {
  readonly value: Json;
  /** Offset of the first character of the content. */
  readonly position: number;
  /** Keys given twice in one mapping, each with the offset of the later one, which wins: the first of them. */
  readonly duplicates: readonly { readonly key: string; readonly position: number }[];
  /** How many there are of them. */
  readonly duplicateCount: number;
}

/** Duplicate keys that are told of by name. */
export const duplicatesShown = 100;

/**
 * The document of `events` as JSON, by the rules of go.yaml.in/yaml/v2 and sigs.k8s.io/yaml: tags of collections are ignored, a merge
 * (`<<`) writes its keys where it stands, the last of several equal keys wins, keys become strings, and each alias is expanded to a copy.
 * Throws `YamlError`.
 */
export function construct(events: readonly Event[]): Constructed {
  const duplicates: { key: string; position: number }[] = [];
  let duplicateCount = 0;
  let notFiniteAt: number | undefined;
  let targets: Map<number, number> | undefined;
  const expanding = new Set<number>();
  let index = 0;
  let depth = 0;
  let decoded = 1;
  let aliased = 0;

  const here = (): number => events[index]?.at ?? 0;
  const failed = (message: string, position: number): YamlError => new YamlError(message, position);

  const count = (): void => {
    decoded += 1;
    if (expanding.size === 0) return;
    aliased += 1;
    if (aliased > 100 && decoded > 1_000 && aliased / decoded > aliasShareMax(decoded)) {
      throw failed('too much of the document comes from aliases; write the repeated parts out', here());
    }
  };

  const enter = (): void => {
    depth += 1;
    if (depth > depthMax) throw failed(`more than ${depthMax} levels of nesting`, here());
  };

  const scalar = ({ tag, text, plain, at }: Event): Scalar => {
    if (tag === '') return plain ? resolvePlain(text) : { tag: 'str', value: text };
    if (tag === '!') return { tag: 'str', value: text };
    const found = resolveTagged(tag, text);
    if (found === undefined) throw failed(`the value is no ${tag.replace('tag:yaml.org,2002:', '!!')}`, at);
    return found;
  };

  const jsonOf = (event: Event): Json => {
    const found = scalar(event);
    if (found.tag === 'float' && !Number.isFinite(found.value)) notFiniteAt ??= event.at;
    return found.value;
  };

  const isMerge = (event: Event | undefined): boolean => {
    if (event?.type !== 'scalar' || event.text !== '<<') return false;
    return event.tag === '' ? event.plain : event.tag === '!' || event.tag === 'tag:yaml.org,2002:merge';
  };

  /** Where each alias leads: to the last anchor of its name before it, as in the order of the text. */
  const aliasTargets = (): Map<number, number> => {
    const anchors = new Map<string, number>();
    const found = new Map<number, number>();
    for (const [index, { type, anchor, at }] of events.entries()) {
      if (anchor === '') continue;
      if (type !== 'alias') {
        anchors.set(anchor, index);
        continue;
      }
      const target = anchors.get(anchor);
      if (target === undefined) throw failed(`there is no anchor ${JSON.stringify(anchor)}`, at);
      found.set(index, target);
    }
    return found;
  };

  /** Reads what the alias at the cursor stands for with `read`, and leaves the cursor behind the alias. */
  const expand = <T>(read: () => T): T => {
    targets ??= aliasTargets();
    const alias = index;
    const target = targets.get(alias) as number;
    if (expanding.has(alias)) throw failed('the anchor contains itself', here());
    expanding.add(alias);
    enter();
    index = target;
    const value = read();
    depth -= 1;
    expanding.delete(alias);
    index = alias + 1;
    return value;
  };

  const node = (): Json => {
    count();
    const event = events[index];
    switch (event?.type) {
      case 'scalar':
        index += 1;
        return jsonOf(event);
      case 'alias':
        return expand(node);
      case 'mapping': {
        const object: { [key: string]: Json } = {};
        mapping(object, true);
        return object;
      }
      case 'sequence': {
        enter();
        index += 1;
        const list: Json[] = [];
        while (events[index]?.type !== 'end') list.push(node());
        index += 1;
        depth -= 1;
        return list;
      }
      default:
        throw failed('the document is cut off', here());
    }
  };

  const key = (): string => {
    count();
    const at = here();
    const event = events[index];
    if (event?.type === 'alias') return expand(key);
    if (event?.type !== 'scalar') throw failed('a key must be a plain value, not a list or map', at);
    index += 1;
    const found = keyOf(scalar(event));
    if (found === undefined) throw failed('JSON has no such key; quote it', at);
    return found;
  };

  /** Writes the keys of the mapping at the cursor into `object`. */
  const mapping = (object: { [key: string]: Json }, warn: boolean): void => {
    enter();
    index += 1;
    let warning = warn;
    while (events[index]?.type !== 'end') {
      if (isMerge(events[index])) {
        index += 1;
        merge(object);
        warning = false;
        continue;
      }
      const at = here();
      const name = key();
      if (warning && expanding.size === 0 && object[name] !== undefined && Object.hasOwn(object, name)) {
        duplicateCount += 1;
        if (duplicateCount <= duplicatesShown) duplicates.push({ key: name, position: at });
      }
      const value = node();
      if (name === '__proto__') {
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      } else object[name] = value;
    }
    index += 1;
    depth -= 1;
  };

  const mergeOne = (object: { [key: string]: Json }): void => {
    count();
    const type = events[index]?.type;
    if (type === 'alias') expand(() => mergeOne(object));
    else if (type === 'mapping') mapping(object, false);
    else throw failed('only a map or a list of maps can be merged (`<<`)', here());
  };

  const merge = (object: { [key: string]: Json }): void => {
    if (events[index]?.type !== 'sequence') {
      mergeOne(object);
      return;
    }
    index += 1;
    const starts: number[] = [];
    while (events[index]?.type !== 'end') {
      starts.push(index);
      index = (events[index]?.close ?? index) + 1;
    }
    const end = index + 1;
    for (const start of starts.reverse()) {
      index = start;
      mergeOne(object);
    }
    index = end;
  };

  if (events.length === 0) return { value: null, position: 0, duplicates, duplicateCount };
  const position = here();
  const value = node();
  // One whose key is given again later does not matter, as in Go.
  if (notFiniteAt !== undefined && !isAllFinite(value)) {
    throw failed('JSON has no infinity and no NaN; quote the value', notFiniteAt);
  }
  return { value, position, duplicates, duplicateCount };
}

function isAllFinite(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isAllFinite);
}

/** How much of what is decoded may come from aliases, as yaml.v2 has it: 99 % up to 400,000 nodes, falling to 10 % at 4,000,000. */
function aliasShareMax(decoded: number): number {
  const low = 400_000;
  const high = 4_000_000;
  if (decoded <= low) return 0.99;
  if (decoded >= high) return 0.1;
  return 0.99 - 0.89 * ((decoded - low) / (high - low));
}
