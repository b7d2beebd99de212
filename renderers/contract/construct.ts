import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import type { Json } from './manifest.ts';
import { keyOf, resolvePlain, resolveTagged, type Scalar } from './scalar.ts';

/** The deepest nesting read, aliases expanded. */
export const depthMax = 1_000;

/** A YAML text that parses but means nothing in JSON. */
export class ConstructError extends Error {
  override readonly name = 'ConstructError';
  /** Line feeds before the place. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** What a document's events amount to. */
export interface Constructed {
  readonly value: Json;
  /** Offset of the first character of the content. */
  readonly position: number;
  /** Keys given twice in one mapping, each with the offset of the later one, which wins. */
  readonly duplicates: readonly { readonly key: string; readonly position: number }[];
}

/**
 * The first document of `events` as JSON, by the rules of go.yaml.in/yaml/v2 and sigs.k8s.io/yaml: tags of collections are ignored, a merge
 * (`<<`) writes its keys where it stands, the last of several equal keys wins, keys become strings, and each alias is expanded to a copy.
 * Throws `ConstructError`.
 */
export function construct(events: readonly Event[], source: string): Constructed {
  const duplicates: { key: string; position: number }[] = [];
  const handles = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  let targets: Map<number, number> | undefined;
  const expanding = new Set<number>();
  let index = 0;
  let depth = 0;
  let decoded = 1;
  let aliased = 0;

  const positionOf = (event: Event | undefined): number => {
    if (event === undefined || event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return 0;
    if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
    const at = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
    return Math.max(at, event.anchorStart, 0);
  };
  const here = (): number => positionOf(events[index]);
  const failed = (message: string, position: number): ConstructError =>
    new ConstructError(message, source.slice(0, position).split('\n').length - 1);

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

  const tagName = (raw: string): string => {
    if (raw.startsWith('!<')) return raw.slice(2, -1);
    const end = raw.indexOf('!', 1);
    const handle = end < 0 ? '!' : raw.slice(0, end + 1);
    return (handles.get(handle) ?? handle) + raw.slice(handle.length);
  };

  /** The text just before a scalar and its tag and anchor. */
  const before = (event: ScalarEvent): string => {
    const starts = [event.valueStart, event.tagStart - 1, event.anchorStart - 1].filter((at) => at >= 0);
    const start = Math.min(...starts);
    return source.slice(Math.max(0, start - 200), start);
  };

  const scalar = (event: ScalarEvent): Scalar => {
    const text = getScalarValue(source, event);
    if (event.style === SCALAR_STYLE.DOUBLE_QUOTED && !event.fast && !text.isWellFormed()) {
      throw failed('an escape names half a character', event.valueStart);
    }
    const raw = event.tagStart < 0 ? '' : source.slice(event.tagStart, event.tagEnd);
    if (raw === '') return event.style === SCALAR_STYLE.PLAIN ? resolvePlain(text) : { tag: 'str', value: text };
    if (raw === '!') return { tag: 'str', value: text };
    const found = resolveTagged(tagName(raw), text);
    if (found === undefined) throw failed(`the value is no ${raw}`, event.tagStart);
    return found;
  };

  const jsonOf = (event: ScalarEvent): Json => {
    const found = scalar(event);
    if (found.tag === 'float' && !Number.isFinite(found.value)) {
      throw failed('JSON has no infinity and no NaN; quote the value', event.valueStart);
    }
    return found.value;
  };

  const isMerge = (event: Event | undefined): boolean => {
    if (event?.type !== EVENT_ID.SCALAR) return false;
    if (event.valueEnd - event.valueStart !== 2 || getScalarValue(source, event) !== '<<') return false;
    if (event.tagStart < 0) return event.style === SCALAR_STYLE.PLAIN;
    const raw = source.slice(event.tagStart, event.tagEnd);
    return raw === '!' || tagName(raw) === 'tag:yaml.org,2002:merge';
  };

  /** Where each alias leads: to the last anchor of its name before it, as in the order of the text. */
  const aliasTargets = (): Map<number, number> => {
    const anchors = new Map<string, number>();
    const found = new Map<number, number>();
    for (const [at, event] of events.entries()) {
      if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) continue;
      if (event.anchorStart < 0) continue;
      const name = source.slice(event.anchorStart, event.anchorEnd);
      if (event.type !== EVENT_ID.ALIAS) {
        anchors.set(name, at);
        continue;
      }
      const target = anchors.get(name);
      if (target === undefined) throw failed(`there is no anchor ${JSON.stringify(name)}`, event.anchorStart);
      found.set(at, target);
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
      case EVENT_ID.SCALAR:
        index += 1;
        return jsonOf(event);
      case EVENT_ID.ALIAS:
        return expand(node);
      case EVENT_ID.MAPPING: {
        const object: { [key: string]: Json } = {};
        mapping(object, true);
        return object;
      }
      case EVENT_ID.SEQUENCE: {
        enter();
        index += 1;
        const list: Json[] = [];
        while (events[index]?.type !== EVENT_ID.POP) list.push(node());
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
    if (event?.type === EVENT_ID.ALIAS) return expand(key);
    if (event?.type !== EVENT_ID.SCALAR) throw failed('a key must be a plain value, not a list or map', at);
    if (
      !event.fast &&
      source.slice(event.valueStart, event.valueEnd).includes('\n') &&
      !/\?\s*["']?$/.test(before(event))
    ) {
      throw failed('a key goes over several lines; a `,` or `:` is missing, or begin the key with `? `', at);
    }
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
    while (events[index]?.type !== EVENT_ID.POP) {
      if (isMerge(events[index])) {
        index += 1;
        merge(object);
        warning = false;
        continue;
      }
      const at = here();
      const name = key();
      if (warning && object[name] !== undefined && Object.hasOwn(object, name)) {
        duplicates.push({ key: name, position: at });
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
    if (type === EVENT_ID.ALIAS) expand(() => mergeOne(object));
    else if (type === EVENT_ID.MAPPING) mapping(object, false);
    else throw failed('only a map or a list of maps can be merged (`<<`)', here());
  };

  const merge = (object: { [key: string]: Json }): void => {
    if (events[index]?.type !== EVENT_ID.SEQUENCE) {
      mergeOne(object);
      return;
    }
    index += 1;
    const starts: number[] = [];
    while (events[index]?.type !== EVENT_ID.POP) {
      starts.push(index);
      index = behind(events, index);
    }
    const end = index + 1;
    for (const start of starts.reverse()) {
      index = start;
      mergeOne(object);
    }
    index = end;
  };

  const first = events[index];
  if (first?.type !== EVENT_ID.DOCUMENT) return { value: null, position: 0, duplicates };
  for (const directive of first.directives) {
    if (directive.kind === 'tag') handles.set(directive.handle, directive.prefix);
  }
  index += 1;
  const position = here();
  return { value: node(), position, duplicates };
}

/** The index behind the node that starts at `index`. */
function behind(events: readonly Event[], index: number): number {
  let open = 0;
  for (let at = index; at < events.length; at++) {
    const type = events[at]?.type;
    if (type === EVENT_ID.POP) open -= 1;
    else if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) open += 1;
    if (open === 0) return at + 1;
  }
  return events.length;
}

/** How much of what is decoded may come from aliases, as yaml.v2 has it: 99 % up to 400,000 nodes, falling to 10 % at 4,000,000. */
function aliasShareMax(decoded: number): number {
  const low = 400_000;
  const high = 4_000_000;
  if (decoded <= low) return 0.99;
  if (decoded >= high) return 0.1;
  return 0.99 - 0.89 * ((decoded - low) / (high - low));
}
