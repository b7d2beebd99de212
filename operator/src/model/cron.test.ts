import assert from 'node:assert/strict';
import test from 'node:test';
import { nextStart, parseSchedule } from './cron.ts';

/** From when, what, and when it begins next. */
const cases: readonly [after: string, schedule: string, next: string | undefined][] = [
  ['2012-07-09T14:45:00Z', '0/15 * * * *', '2012-07-09T15:00:00Z'],
  ['2012-07-09T14:59:59Z', '0/15 * * * *', '2012-07-09T15:00:00Z'],
  ['2012-07-09T15:45:00Z', '20-35/15 * * * *', '2012-07-09T16:20:00Z'],
  ['2012-07-09T23:46:00Z', '*/15 * * * *', '2012-07-10T00:00:00Z'],
  ['2012-07-09T23:35:51Z', '15/35 20-23/2 * * *', '2012-07-10T20:15:00Z'],
  ['2012-07-10T20:15:00Z', '15/35 20-23/2 * * *', '2012-07-10T20:50:00Z'],
  ['2012-07-10T20:50:00Z', '15/35 20-23/2 * * *', '2012-07-10T22:15:00Z'],
  ['2012-07-09T23:35:00Z', '0 0 */14 * Sun', '2012-07-15T00:00:00Z'],
  ['2012-07-09T23:35:00Z', '0 0 9 Apr-Oct *', '2012-08-09T00:00:00Z'],
  ['2012-07-09T23:35:00Z', '0 0 9 apr,aug,oct mon', '2012-08-06T00:00:00Z'],
  ['2012-07-09T23:35:00Z', '0 0 ? Feb MON', '2013-02-04T00:00:00Z'],
  ['2012-12-31T23:59:45Z', '* * * * *', '2013-01-01T00:00:00Z'],
  ['2013-01-01T00:00:00Z', '0 0 29 2 *', '2016-02-29T00:00:00Z'],
  ['2096-03-01T00:00:00Z', '0 0 29 2 ?', '2104-02-29T00:00:00Z'],
  ['2012-07-09T23:35:00Z', '0 0 30 2 *', undefined],
  // One of two days is enough where both are given, unless one is open; an open one with a step counts as given.
  ['2026-11-30T00:00:00Z', '0 0 13 * 5', '2026-12-04T00:00:00Z'],
  ['2026-11-30T00:00:00Z', '0 0 13 * *', '2026-12-13T00:00:00Z'],
  ['2026-11-30T00:00:00Z', '0 0 */2 * 5', '2026-12-01T00:00:00Z'],
];

test('begins when robfig/cron says', () => {
  for (const [after, text, expected] of cases) {
    const schedule = parseSchedule(text);
    assert.ok(typeof schedule !== 'string', `${text}: ${schedule}`);
    const next = nextStart(schedule, Date.parse(after));
    assert.equal(
      next && new Date(next).toISOString(),
      expected && new Date(expected).toISOString(),
      `${after} ${text}`,
    );
  }
});

const wrong: readonly [text: string, why: RegExp][] = [
  ['', /five fields/],
  ['* * * *', /five fields/],
  ['0 0 * * * *', /five fields/],
  ['@daily', /five fields/],
  ['60 * * * *', /"60" is not within 0 to 59, the minute/],
  ['0 24 * * *', /"24"/],
  ['0 0 0 * *', /"0" is not within 1 to 31/],
  ['0 0 * 13 *', /"13"/],
  ['0 0 * * 7', /"7" is not within 0 to 6, the day of week/],
  ['5-1 * * * *', /"5-1"/],
  ['*/0 * * * *', /"\*\/0" is no minute/],
  ['1/2/3 * * * *', /is no minute/],
  ['*-5 * * * *', /is no minute/],
  ['a * * * *', /"a" is no minute/],
  [', * * * *', /the minute is empty/],
  [`${'0,'.repeat(200)}0 * * * *`, /at most 256/],
];

test('says what is wrong with a schedule', () => {
  for (const [text, why] of wrong) {
    const found = parseSchedule(text);
    assert.match(typeof found === 'string' ? found : 'read', why, text);
  }
});

test('an impossible or rare schedule is told of within a few milliseconds', () => {
  const schedule = parseSchedule('0 0 30 2 *');
  assert.ok(typeof schedule !== 'string');
  const started = performance.now();
  nextStart(schedule, 0);
  assert.ok(performance.now() - started < 50);
});
