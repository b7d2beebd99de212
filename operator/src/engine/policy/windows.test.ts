import assert from 'node:assert/strict';
import test from 'node:test';
import type { Application, ApplicationDestination, AppProject, SyncWindow } from '@mooring/crds';
import { blockedBy, type WindowQuestion, windowsOf } from './windows.ts';

const own = { server: 'https://kubernetes.default.svc', name: 'in-cluster' };

function projectWith(syncWindows: readonly SyncWindow[]): AppProject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name: 'shop' }, spec: { syncWindows } };
}

function appTo(destination: ApplicationDestination): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop-web', namespace: 'argocd' },
    spec: { project: 'shop', destination },
  };
}

const app = appTo({ server: own.server, namespace: 'shop' });

function blocked(windows: readonly SyncWindow[], now: string, question: Partial<WindowQuestion> = {}) {
  const all = windows.map((window) => ({ applications: ['*'], ...window }));
  return blockedBy(windowsOf(projectWith(all), app, own), { manual: false, ...question }, Date.parse(now));
}

const night: SyncWindow = { kind: 'deny', schedule: '0 22 * * *', duration: '8h' };
const day: SyncWindow = { kind: 'allow', schedule: '0 9 * * 1-5', duration: '8h' };
/** 2026-11-30 is a Monday. */
const cases: readonly [
  what: string,
  windows: readonly SyncWindow[],
  now: string,
  question: Partial<WindowQuestion>,
  again: string | undefined,
][] = [
  ['nothing where there is no window', [], '2026-11-30T12:00:00Z', {}, undefined],
  ['a deny while it is open', [night], '2026-11-30T22:00:00Z', {}, '2026-12-01T06:00:00Z'],
  ['a deny that began yesterday', [night], '2026-11-30T05:59:59Z', {}, '2026-11-30T06:00:00Z'],
  ['no deny before and after it', [night], '2026-11-30T21:59:59Z', {}, undefined],
  ['no deny once it is over', [night], '2026-11-30T06:00:00Z', {}, undefined],
  ['an allow while it is closed', [day], '2026-11-30T08:59:59Z', {}, '2026-11-30T09:00:00Z'],
  ['no allow while it is open', [day], '2026-11-30T09:00:00Z', {}, undefined],
  ['an allow over a weekend, asked again each day', [day], '2026-12-04T17:00:00Z', {}, '2026-12-05T17:00:00Z'],
  [
    'one open allow of several is enough',
    [day, { ...day, schedule: '0 1 * * *', duration: '1h' }],
    '2026-11-30T10:00:00Z',
    {},
    undefined,
  ],
  [
    'a deny beats an allow',
    [{ ...day, schedule: '0 * * * *' }, night],
    '2026-11-30T23:00:00Z',
    {},
    '2026-12-01T06:00:00Z',
  ],
  ['a closed deny leaves an allow to decide', [day, night], '2026-11-30T18:00:00Z', {}, '2026-12-01T09:00:00Z'],
  ['a person, too', [night], '2026-11-30T23:00:00Z', { manual: true }, '2026-12-01T06:00:00Z'],
  ['no person with manualSync', [{ ...night, manualSync: true }], '2026-11-30T23:00:00Z', { manual: true }, undefined],
  ['no policy with manualSync', [{ ...night, manualSync: true }], '2026-11-30T23:00:00Z', {}, '2026-12-01T06:00:00Z'],
  [
    'a person where one of two denies has no manualSync',
    [
      { ...night, manualSync: true },
      { ...night, duration: '9h' },
    ],
    '2026-11-30T23:00:00Z',
    { manual: true },
    '2026-12-01T07:00:00Z',
  ],
  [
    'no person with manualSync of an allow',
    [{ ...day, manualSync: true }],
    '2026-11-30T20:00:00Z',
    { manual: true },
    undefined,
  ],
  [
    'no sync that overruns into a deny',
    [{ ...night, syncOverrun: true }],
    '2026-11-30T22:05:00Z',
    { startedAt: Date.parse('2026-11-30T21:59:00Z') },
    undefined,
  ],
  [
    'a sync that overruns where the deny does not let it',
    [night],
    '2026-11-30T22:05:00Z',
    { startedAt: Date.parse('2026-11-30T21:59:00Z') },
    '2026-12-01T06:00:00Z',
  ],
  [
    'a sync that began inside the deny',
    [{ ...night, syncOverrun: true }],
    '2026-11-30T22:05:00Z',
    { startedAt: Date.parse('2026-11-30T22:01:00Z') },
    '2026-12-01T06:00:00Z',
  ],
  [
    'no sync that overruns the end of an allow',
    [{ ...day, syncOverrun: true }],
    '2026-11-30T17:05:00Z',
    { startedAt: Date.parse('2026-11-30T16:59:00Z') },
    undefined,
  ],
  [
    'a sync that overruns where one of two closed allows does not let it',
    [
      { ...day, syncOverrun: true },
      { ...day, schedule: '0 8 * * 1-5' },
    ],
    '2026-11-30T17:05:00Z',
    { startedAt: Date.parse('2026-11-30T16:59:00Z') },
    '2026-12-01T08:00:00Z',
  ],
  [
    'a window in its own time zone',
    [{ ...night, timeZone: 'Asia/Tokyo' }],
    '2026-11-30T13:00:00Z',
    {},
    '2026-11-30T21:00:00Z',
  ],
  ['not before it opens there', [{ ...night, timeZone: 'Asia/Tokyo' }], '2026-11-30T12:59:00Z', {}, undefined],
  // Clocks in Berlin go from 02:00 to 03:00 on 2026-03-29 at 01:00 UTC, and from 03:00 to 02:00 on 2026-10-25 at 01:00 UTC.
  [
    'a window over a change of clocks ends when the wall says so',
    [{ ...night, timeZone: 'Europe/Berlin' }],
    '2026-03-28T22:00:00Z',
    {},
    '2026-03-29T04:00:00Z',
  ],
  [
    'a window in winter, until summer ends',
    [{ ...night, timeZone: 'Europe/Berlin' }],
    '2026-10-24T23:00:00Z',
    {},
    '2026-10-25T05:00:00Z',
  ],
  [
    'a window whose beginning is left out by the clocks opens then',
    [{ kind: 'deny', schedule: '30 2 * * *', duration: '1h', timeZone: 'Europe/Berlin' }],
    '2026-03-29T01:00:00Z',
    {},
    '2026-03-29T01:30:00Z',
  ],
  [
    'an allow that waits for a beginning that is left out opens at the change',
    [{ kind: 'allow', schedule: '30 2 * * *', duration: '1h', timeZone: 'Europe/Berlin' }],
    '2026-03-29T00:59:00Z',
    {},
    '2026-03-29T01:00:00Z',
  ],
  [
    'an hour that comes twice is twice in its window',
    [{ kind: 'deny', schedule: '0 2 * * *', duration: '30m', timeZone: 'Europe/Berlin' }],
    '2026-10-25T01:10:00Z',
    {},
    '2026-10-25T01:30:00Z',
  ],
  [
    'an open window is closed by clocks that are put back',
    [{ kind: 'deny', schedule: '30 2 * * *', duration: '1h', timeZone: 'Europe/Berlin' }],
    '2026-10-25T00:45:00Z',
    {},
    '2026-10-25T01:00:00Z',
  ],
];

for (const [what, windows, now, question, again] of cases) {
  test(`blocks ${what}`, () => {
    const found = blocked(windows, now, question);
    assert.equal(found && new Date(found.again).toISOString(), again && new Date(again).toISOString());
  });
}

test('says which window, why, and until when', () => {
  const found = blocked([{ ...night, description: 'change freeze' }], '2026-11-30T23:00:00Z');
  assert.equal(
    found?.message,
    'blocked by sync window deny 0 22 * * * for 8h, UTC ("change freeze"); it may run from 2026-12-01T06:00:00Z',
  );
  const forEver = blocked([{ ...night, schedule: '* * * * *' }], '2026-11-30T23:00:00Z');
  assert.match(forEver?.message ?? '', /no end of that is in sight/);
});

const invalid: readonly [window: SyncWindow, message: RegExp][] = [
  [
    { ...night, kind: 'Deny' },
    /syncWindows\[0\]\.kind is "Deny", but must be allow or deny; correct it in AppProject shop/,
  ],
  [{ ...night, schedule: '0 22 * *' }, /schedule is "0 22 \* \*", but must have five fields/],
  [{ ...night, schedule: '0 0 30 2 *' }, /there is no such day/],
  [{ ...night, duration: '8 hours' }, /duration is "8 hours"/],
  [{ ...night, duration: '0s' }, /duration is "0s"/],
  [{ ...night, duration: '9'.repeat(50_000) }, /duration is "9{60}…"/],
  [{ ...night, timeZone: 'Berlin' }, /timeZone is "Berlin"/],
  [{ ...night, timeZone: '+01:00' }, /timeZone is/],
  [{ ...night, applications: ['shop-[a'] }, /applications has a glob that is broken/],
];

test('blocks everything, people too, where a window cannot be understood', () => {
  for (const [window, message] of invalid) {
    const found = blocked([window], '2026-11-30T12:00:00Z', { manual: true });
    assert.match(found?.message ?? 'permitted', message);
  }
});

const matching: readonly [what: string, window: SyncWindow, destination: ApplicationDestination, matches: boolean][] = [
  ['nothing given', {}, { server: own.server }, false],
  ['a name', { applications: ['shop-*'] }, {}, true],
  ['another name', { applications: ['web-*'] }, {}, false],
  ['one of several lists', { applications: ['web-*'], namespaces: ['shop'] }, { namespace: 'shop' }, true],
  [
    'all of several lists',
    { applications: ['shop-*'], namespaces: ['shop'], andOperator: true },
    { namespace: 'shop' },
    true,
  ],
  [
    'not all of several lists',
    { applications: ['shop-*'], namespaces: ['web'], andOperator: true },
    { namespace: 'shop' },
    false,
  ],
  ['and of nothing', { andOperator: true }, { namespace: 'shop' }, false],
  ['a cluster by its address', { clusters: [own.server] }, { server: own.server }, true],
  [
    'a cluster by its name, though the destination gives the address',
    { clusters: ['in-cluster'] },
    { server: own.server },
    true,
  ],
  ['an address across slashes', { clusters: ['https://*'] }, { server: own.server }, true],
];

test('holds for the Applications that it names', () => {
  for (const [what, window, destination, matches] of matching) {
    const { openings } = windowsOf(projectWith([{ ...night, ...window }]), appTo(destination), own);
    assert.equal(openings.length, matches ? 1 : 0, what);
  }
});

test('a hundred windows that never end are told of in time', () => {
  const many = Array.from({ length: 100 }, (_, minute) => ({
    ...night,
    schedule: `${minute % 60} * * * *`,
    timeZone: 'Europe/Berlin',
  }));
  blocked(many, '2026-11-29T12:00:00Z');
  const started = performance.now();
  assert.ok(blocked(many, '2026-11-30T12:00:00Z'));
  assert.ok(performance.now() - started < 1_000);
});
