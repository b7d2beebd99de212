interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** The last answer, and from when it holds. */
  from: number;
  offset: number;
}

const zones = new Map<string, Zone>();
/** Zones that are kept; there are about 600 names in all. */
const keptAtMost = 1_000;
/** Clocks are put forward and back on a quarter of an hour, everywhere. */
const stepMs = 900_000;

/** Whether a name is one of the IANA time zone database (`Europe/Berlin`, `UTC`). */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

/** Milliseconds that clocks on the wall of a zone are ahead of UTC at a time in milliseconds since 1970. Throws a RangeError for an unknown zone. */
export function offsetAt(name: string, time: number): number {
  const zone = zoneOf(name);
  const from = Math.floor(time / stepMs) * stepMs;
  if (zone.from === from) return zone.offset;
  const parts = new Map(zone.format.formatToParts(from).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  zone.from = from;
  zone.offset = wall - from;
  return zone.offset;
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (zones.size >= keptAtMost) zones.clear();
  const made = { format, from: Number.NaN, offset: 0 };
  zones.set(name, made);
  return made;
}
