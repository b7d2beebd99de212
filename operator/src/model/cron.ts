/** When something begins, minute by minute, by the clock on the wall. */
export interface Schedule {
  /** In order, as are the hours. */
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: ReadonlySet<number>;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** 0 to 6, from Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both days must fit rather than one of them, since one was left open. */
  readonly bothDays: boolean;
}

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  /** Names of the numbers, from `low`. */
  readonly names?: readonly string[];
}

const fields: readonly [Field, Field, Field, Field, Field] = [
  { name: 'minute', low: 0, high: 59 },
  { name: 'hour', low: 0, high: 23 },
  { name: 'day of month', low: 1, high: 31 },
  {
    name: 'month',
    low: 1,
    high: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of week', low: 0, high: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/** Characters of a schedule. */
const longest = 256;

/**
 * Reads five fields of cron by the rules of robfig/cron, which Argo CD uses: `*`, `?`, numbers, names of months and days, `a-b`, steps with `/`, and lists with
 * commas; Sunday is 0 and not 7; no `@daily`. Answers what is wrong as a text, to be read after the schedule.
 */
export function parseSchedule(text: string): Schedule | string {
  if (text.length > longest) return `but has ${text.length} characters; at most ${longest} are read`;
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== fields.length)
    return `but must have five fields: minute, hour, day of month, month and day of week, such as 0 22 * * 1-5`;
  const problems: string[] = [];
  const read = (index: number): Read => {
    const found = parseField(parts[index] ?? '', fields[index] as Field);
    if (typeof found !== 'string') return found;
    problems.push(found);
    return { values: new Set(), isOpen: false };
  };
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = [read(0), read(1), read(2), read(3), read(4)];
  const [problem] = problems;
  if (problem !== undefined) return problem;
  return {
    minutes: [...minutes.values].sort(byNumber),
    hours: [...hours.values].sort(byNumber),
    daysOfMonth: daysOfMonth.values,
    months: months.values,
    daysOfWeek: daysOfWeek.values,
    bothDays: daysOfMonth.isOpen || daysOfWeek.isOpen,
  };
}

interface Read {
  readonly values: ReadonlySet<number>;
  /** `*` or `?` without a step. */
  readonly isOpen: boolean;
}

function parseField(text: string, field: Field): Read | string {
  const values = new Set<number>();
  let isOpen = false;
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [range = '', stepText, ...more] = part.split('/');
    const [from = '', to, ...others] = range.split('-');
    const step = stepText === undefined ? 1 : numberOf(stepText);
    const isAny = from === '*' || from === '?';
    const low = isAny ? field.low : valueIn(from, field);
    const end = to === undefined ? low : valueIn(to, field);
    const high = isAny || (to === undefined && stepText !== undefined) ? field.high : end;
    const isRead = more.length === 0 && others.length === 0 && !(isAny && to !== undefined);
    if (!isRead || step === undefined || step === 0 || low === undefined || high === undefined)
      return `but ${JSON.stringify(part)} is no ${field.name}`;
    if (low < field.low || high > field.high || low > high)
      return `but ${JSON.stringify(part)} is not within ${field.low} to ${field.high}, the ${field.name}`;
    isOpen ||= isAny && step === 1;
    for (let value = low; value <= high; value += step) values.add(value);
  }
  return values.size === 0 ? `but the ${field.name} is empty` : { values, isOpen };
}

function valueIn(text: string, { low, names = [] }: Field): number | undefined {
  const index = names.indexOf(text.toLowerCase());
  return index >= 0 ? low + index : numberOf(text);
}

function numberOf(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Days that are looked through: 29 February comes after 8 years at most (around 2100), and any of its days of the week within 40. */
const daysAtMost = 366 * 41;

/**
 * The first beginning after one time and not after another, both in milliseconds since 1970 of a wall clock that is read as if it were UTC; undefined where there
 * is none (30 February).
 */
export function nextStart(
  schedule: Schedule,
  after: number,
  until: number = Number.POSITIVE_INFINITY,
): number | undefined {
  const from = (Math.floor(after / minuteMs) + 1) * minuteMs;
  let day = Math.floor(from / dayMs) * dayMs;
  for (let days = 0; days < daysAtMost && day <= until; days++, day += dayMs) {
    if (!isOnDay(schedule, new Date(day))) continue;
    for (const hour of schedule.hours) {
      for (const minute of schedule.minutes) {
        const start = day + (hour * 60 + minute) * minuteMs;
        if (start >= from) return start <= until ? start : undefined;
      }
    }
  }
  return undefined;
}

function isOnDay({ months, daysOfMonth, daysOfWeek, bothDays }: Schedule, day: Date): boolean {
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const ofMonth = daysOfMonth.has(day.getUTCDate());
  const ofWeek = daysOfWeek.has(day.getUTCDay());
  return bothDays ? ofMonth && ofWeek : ofMonth || ofWeek;
}

function byNumber(a: number, b: number): number {
  return a - b;
}
