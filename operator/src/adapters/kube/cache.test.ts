import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { LiveRecord } from '../../model/live.ts';
import { type CacheChange, createCache, type LiveCache } from './cache.ts';

let told: CacheChange[];
let cache: LiveCache;
beforeEach(() => {
  told = [];
  cache = createCache((change) => told.push(change));
});

const part = { group: '', kind: 'ConfigMap', namespace: '' };

function record(name: string, version: number, fields: Partial<LiveRecord> = {}): LiveRecord {
  return {
    key: { group: '', kind: 'ConfigMap', namespace: 'shop', name },
    apiVersion: 'v1',
    uid: `uid-${name}`,
    resourceVersion: String(version),
    createdAt: 0,
    deleting: false,
    owners: [],
    app: 'cart',
    health: undefined,
    ownedHash: 'h1',
    ownedAt: 0,
    hints: undefined,
    ...fields,
  };
}

function toldWhat(): string[] {
  return told.splice(0).map(({ app, key, what }) => `${app} ${key.name} ${what}`);
}

function versionOf(name: string): string | undefined {
  return cache.record(record(name, 0).key)?.resourceVersion;
}

describe('what is told', () => {
  test('new, drift, health, gone; and no noise', () => {
    cache.seen(record('a', 9));
    cache.seen(record('a', 10));
    cache.seen(record('a', 11, { ownedHash: 'h2' }));
    cache.seen(record('a', 12, { ownedHash: 'h2', health: { status: 'Degraded' } }));
    cache.seen(record('a', 13, { ownedHash: 'h2', health: { status: 'Degraded' }, hints: { x: '1' } }));
    cache.seen(record('a', 14, { ownedHash: 'h2', health: { status: 'Degraded' }, hints: { x: '1' }, deleting: true }));
    cache.gone(record('a', 15));
    assert.deepEqual(toldWhat(), [
      'cart a new',
      'cart a drift',
      'cart a health',
      'cart a health',
      'cart a health',
      'cart a gone',
    ]);
  });

  test('nothing of what no Application tracks', () => {
    cache.seen(record('a', 9, { app: undefined }));
    cache.gone(record('a', 10, { app: undefined }));
    assert.deepEqual(toldWhat(), []);
  });

  test('both Applications where an object moves from one to the other', () => {
    cache.seen(record('a', 9));
    cache.seen(record('a', 10, { app: 'other' }));
    assert.deepEqual(toldWhat(), ['cart a new', 'cart a gone', 'other a new']);
    assert.deepEqual(cache.tracked('cart'), []);
    assert.equal(cache.tracked('other').length, 1);
  });
});

describe('who asks for an object', () => {
  const { key } = record('a', 0);
  const equal = (version: number, isCovered: boolean) => ({
    desiredHash: 'wanted',
    resourceVersion: String(version),
    isCovered,
    isAsked: false,
  });
  beforeEach(() => cache.want('asking', [key]));

  test('is told that it came and went, whoever it belongs to', () => {
    cache.seen(record('a', 1, { app: undefined }));
    cache.gone(record('a', 2, { app: undefined }));
    assert.deepEqual(toldWhat(), ['asking a new', 'asking a gone']);
  });

  test('is told once of what it tracks, too', () => {
    cache.seen(record('a', 1, { app: 'asking' }));
    cache.seen(record('a', 2, { app: 'asking', ownedHash: 'h2' }));
    cache.seen(record('a', 3, { app: 'other', ownedHash: 'h3' }));
    assert.deepEqual(toldWhat(), ['asking a new', 'asking a drift', 'asking a gone', 'other a new']);
  });

  test('is told of each change where no mark vouches for it', () => {
    cache.seen(record('a', 1));
    cache.seen(record('a', 2));
    cache.setMark(key, equal(2, false));
    cache.seen(record('a', 3));
    assert.deepEqual(toldWhat(), ['cart a new', 'asking a new', 'asking a drift', 'asking a drift']);
  });

  test('is spared what our own entry would show', () => {
    cache.seen(record('a', 1));
    cache.setMark(key, equal(1, true));
    told.length = 0;
    cache.seen(record('a', 2));
    assert.deepEqual(toldWhat(), []);
    cache.dropMark(key);
    cache.seen(record('a', 3));
    assert.deepEqual(toldWhat(), ['asking a drift']);
  });

  test('is told what another Application writes there, and not what it writes itself', () => {
    cache.beginWrite(key)({ stored: record('a', 1) });
    cache.beginWrite(key)({ stored: record('a', 2, { ownedHash: 'h2' }) });
    cache.beginWrite(key)({ removed: 'uid-a' });
    assert.deepEqual(toldWhat(), ['asking a new', 'asking a drift', 'asking a gone']);
    cache.beginWrite(key)({ stored: record('a', 4, { app: 'asking' }) });
    assert.deepEqual(toldWhat(), []);
  });

  test('has something to look at anew where a version is not the one that was compared', () => {
    assert.equal(cache.isOutdated('asking'), false);
    cache.seen(record('a', 1));
    assert.equal(cache.isOutdated('asking'), true);
    cache.setMark(key, equal(1, true));
    assert.equal(cache.isOutdated('asking'), false);
    cache.seen(record('a', 2));
    assert.equal(cache.isOutdated('asking'), true);
    cache.setMark(key, { ...equal(2, true), isAsked: true });
    assert.equal(cache.isOutdated('asking'), true);
  });

  test('is forgotten when it asks for something else', () => {
    cache.want('asking', [record('b', 0).key]);
    cache.seen(record('a', 1, { app: undefined }));
    assert.equal(cache.isOutdated('asking'), false);
    cache.seen(record('b', 2, { app: undefined }));
    cache.want('asking', []);
    cache.gone(record('b', 3, { app: undefined }));
    assert.deepEqual(toldWhat(), ['asking b new']);
  });
});

describe('an own write', () => {
  test('is not told, whether its echo comes before the answer or after', () => {
    const early = cache.beginWrite(record('a', 0).key);
    cache.seen(record('a', 9));
    early({ stored: record('a', 9) });
    const late = cache.beginWrite(record('a', 0).key);
    late({ stored: record('a', 10, { ownedHash: 'h2' }) });
    cache.seen(record('a', 10, { ownedHash: 'h2' }));
    assert.deepEqual(toldWhat(), []);
    assert.equal(versionOf('a'), '10');
  });

  test('is not undone by an older event', () => {
    cache.beginWrite(record('a', 0).key)({ stored: record('a', 10, { ownedHash: 'h2' }) });
    cache.seen(record('a', 9));
    assert.equal(versionOf('a'), '10');
    assert.deepEqual(toldWhat(), []);
  });

  test('compares versions as numbers', () => {
    cache.beginWrite(record('a', 0).key)({ stored: record('a', 100) });
    cache.seen(record('a', 99));
    assert.equal(versionOf('a'), '100');
  });

  test('does not hide what somebody else did right after it', () => {
    const end = cache.beginWrite(record('a', 0).key);
    cache.seen(record('a', 9));
    cache.seen(record('a', 10, { ownedHash: 'touched' }));
    end({ stored: record('a', 9) });
    assert.deepEqual(toldWhat(), ['cart a drift']);
    assert.equal(versionOf('a'), '10');
  });

  test('that failed hides nothing', () => {
    cache.seen(record('a', 9));
    const end = cache.beginWrite(record('a', 0).key);
    cache.seen(record('a', 10, { ownedHash: 'touched' }));
    assert.deepEqual(toldWhat(), ['cart a new']);
    end('failed');
    assert.deepEqual(toldWhat(), ['cart a drift']);
  });

  test('of two at once is told to nobody either', () => {
    const first = cache.beginWrite(record('a', 0).key);
    const second = cache.beginWrite(record('a', 0).key);
    cache.seen(record('a', 9));
    first({ stored: record('a', 9) });
    cache.seen(record('a', 10, { ownedHash: 'h2' }));
    second({ stored: record('a', 10, { ownedHash: 'h2' }) });
    assert.deepEqual(toldWhat(), []);
  });

  test('that lets go of the last finalizer does not bring back what the watch has seen end', () => {
    cache.seen(record('a', 9, { deleting: true }));
    const end = cache.beginWrite(record('a', 0).key);
    cache.gone(record('a', 10, { deleting: true }));
    end({ stored: record('a', 10, { deleting: true }) });
    assert.equal(versionOf('a'), undefined);
  });

  test('that deletes is remembered until the watch confirms it', () => {
    cache.seen(record('a', 9));
    told.length = 0;
    cache.beginWrite(record('a', 0).key)({ removed: 'uid-a' });
    cache.seen(record('a', 9, { ownedHash: 'late' }));
    assert.equal(versionOf('a'), undefined);
    cache.seen(record('a', 12, { uid: 'another' }));
    cache.gone(record('a', 11));
    assert.equal(versionOf('a'), '12', 'the end of the old one does not end the new one');
    assert.deepEqual(toldWhat(), ['cart a new']);
  });
});

describe('a read', () => {
  test('puts what it found into the view, and tells it', () => {
    cache.beginRead(record('a', 0).key)({ found: record('a', 9) });
    assert.equal(versionOf('a'), '9');
    assert.deepEqual(toldWhat(), ['cart a new']);
  });

  test('does not bring back what ended while it was under way, whether it was known before or not', () => {
    for (const isKnown of [true, false]) {
      if (isKnown) cache.seen(record('a', 9));
      const end = cache.beginRead(record('a', 0).key);
      cache.seen(record('a', 9));
      cache.gone(record('a', 10));
      end({ found: record('a', 9) });
      assert.equal(versionOf('a'), undefined, `known before: ${isKnown}`);
      assert.deepEqual(toldWhat(), ['cart a new', 'cart a gone']);
    }
  });

  test('does not bring back what a list, an own delete or one that came after it has ended', () => {
    const ends: Readonly<Record<string, () => void>> = {
      list: () => cache.beginList(part)('20'),
      delete: () => {
        cache.beginWrite(record('a', 0).key)({ removed: 'uid-a' });
        cache.gone(record('a', 10));
      },
      after: () => {
        cache.seen(record('a', 11, { uid: 'another' }));
        cache.gone(record('a', 12, { uid: 'another' }));
      },
    };
    for (const [name, endIt] of Object.entries(ends)) {
      cache.seen(record('a', 9));
      const end = cache.beginRead(record('a', 0).key);
      endIt();
      end({ found: record('a', 9) });
      assert.equal(versionOf('a'), undefined, name);
    }
  });

  test('sees the object that was created after another one ended', () => {
    cache.seen(record('a', 9));
    const end = cache.beginRead(record('a', 0).key);
    cache.gone(record('a', 10));
    end({ found: record('a', 11, { uid: 'another' }) });
    assert.equal(versionOf('a'), '11');
  });

  test('of what is missing ends what was known, however late the watch is, and not what has come since', () => {
    cache.seen(record('a', 9));
    cache.beginRead(record('a', 0).key)('missing');
    cache.seen(record('a', 10));
    assert.equal(versionOf('a'), undefined);
    assert.deepEqual(toldWhat(), ['cart a new', 'cart a gone']);
    cache.gone(record('a', 11));
    const end = cache.beginRead(record('a', 0).key);
    cache.seen(record('a', 12, { uid: 'another' }));
    end('missing');
    assert.equal(versionOf('a'), '12');
  });

  test('that failed changes nothing', () => {
    cache.seen(record('a', 9));
    cache.beginRead(record('a', 0).key)('failed');
    assert.equal(versionOf('a'), '9');
  });
});

describe('a list', () => {
  test('drops what it did not hold, of its kind alone', () => {
    cache.seen(record('a', 5));
    cache.seen(record('b', 6));
    cache.seen(record('c', 7, { key: { ...record('c', 0).key, kind: 'Secret' } }));
    told.length = 0;
    const end = cache.beginList(part);
    cache.seen(record('a', 5));
    end('20');
    assert.deepEqual(toldWhat(), ['cart b gone']);
    assert.equal(cache.size, 2);
  });

  test('keeps what this process wrote after the list was made', () => {
    const end = cache.beginList(part);
    cache.beginWrite(record('a', 0).key)({ stored: record('a', 21) });
    end('20');
    assert.equal(versionOf('a'), '21');
  });

  test('does not bring back what this process deleted', () => {
    cache.seen(record('a', 5));
    cache.beginWrite(record('a', 0).key)({ removed: 'uid-a' });
    const end = cache.beginList(part);
    cache.seen(record('a', 5));
    end('5');
    assert.equal(versionOf('a'), undefined);
    cache.gone(record('a', 6));
    cache.seen(record('a', 7, { uid: 'another' }));
    assert.equal(versionOf('a'), '7');
  });

  test('that was overtaken by another one drops nothing', () => {
    cache.seen(record('a', 5));
    const old = cache.beginList(part);
    cache.beginList(part);
    old('20');
    assert.equal(versionOf('a'), '5');
  });

  test('of one namespace leaves the others alone', () => {
    cache.seen(record('a', 5));
    cache.seen(record('b', 6, { key: { ...record('b', 0).key, namespace: 'other' } }));
    cache.beginList({ ...part, namespace: 'shop' })('20');
    assert.equal(cache.size, 1);
  });

  test('of a kind that is served no more is dropped whole', () => {
    cache.seen(record('a', 5));
    cache.drop(part);
    assert.equal(cache.size, 0);
    assert.deepEqual(toldWhat(), ['cart a new', 'cart a gone']);
  });
});

test('an own write tells nobody but the Application that the object is taken from', () => {
  cache.seen(record('a', 5));
  told.length = 0;
  cache.beginWrite(record('a', 0).key)({ stored: record('a', 6, { ownedHash: 'h2' }) });
  assert.deepEqual(toldWhat(), []);
  cache.beginWrite(record('a', 0).key)({ stored: record('a', 7, { app: 'till' }) });
  cache.seen(record('a', 7, { app: 'till' }));
  assert.deepEqual(toldWhat(), ['cart a gone']);
  cache.beginWrite(record('a', 0).key)({ removed: 'uid-a' });
  assert.deepEqual(toldWhat(), []);
});

test('an own write that failed because somebody else was first tells both Applications once', () => {
  cache.seen(record('a', 9, { app: 'giver' }));
  told.splice(0);
  const end = cache.beginWrite(record('a', 0).key);
  cache.seen(record('a', 10, { app: 'taker' }));
  end('failed');
  assert.deepEqual(toldWhat(), ['giver a gone', 'taker a new']);
});

describe('what is found', () => {
  test('by Application and by owner', () => {
    cache.seen(record('a', 5, { owners: ['o1'] }));
    cache.seen(record('b', 6, { owners: ['o1', 'o2'], app: undefined }));
    cache.seen(record('b', 7, { owners: ['o2'], app: undefined }));
    assert.deepEqual(
      cache.ownedBy('o1').map(({ key }) => key.name),
      ['a'],
    );
    assert.deepEqual(
      cache.ownedBy('o2').map(({ key }) => key.name),
      ['b'],
    );
    assert.deepEqual(
      cache.tracked('cart').map(({ key }) => key.name),
      ['a'],
    );
    cache.gone(record('b', 8));
    assert.deepEqual(cache.ownedBy('o2'), []);
  });

  test('what is held, until it is let go or gone', () => {
    for (const name of ['a', 'b', 'c']) cache.seen(record(name, 5, { isHeld: true }));
    cache.seen(record('d', 5));
    cache.seen(record('a', 6));
    cache.gone(record('b', 6));
    cache.seen(record('d', 6, { isHeld: true }));
    assert.deepEqual(
      cache.held().map(({ key }) => key.name),
      ['c', 'd'],
    );
  });

  test('a hook that went by itself, as it was last', () => {
    const hook = { hints: { 'argocd.argoproj.io/hook-run': 'abc-1-presync' } };
    const done = { ...hook, health: { status: 'Healthy' } } as const;
    for (const name of ['a', 'b']) cache.seen(record(name, 5, hook));
    cache.seen(record('c', 5));
    assert.equal(cache.lastOf(record('a', 0).key), undefined);
    cache.gone(record('a', 6, done));
    cache.gone(record('c', 6));
    cache.beginWrite(record('b', 0).key)({ removed: 'uid-b' });
    cache.gone(record('b', 7, done));
    assert.equal(cache.lastOf(record('a', 0).key)?.health?.status, 'Healthy');
    for (const name of ['b', 'c']) assert.equal(cache.lastOf(record(name, 0).key), undefined, name);
  });

  test('a mark holds for the object that it was set for', () => {
    const { key } = record('a', 5);
    cache.setMark(key, { desiredHash: 'wanted', resourceVersion: '5', isCovered: true, isAsked: false });
    assert.equal(cache.mark(key), undefined);
    cache.seen(record('a', 5));
    cache.setMark(key, { desiredHash: 'wanted', resourceVersion: '5', isCovered: true, isAsked: false });
    cache.seen(record('a', 6, { ownedHash: 'h2' }));
    assert.deepEqual(cache.mark(key), { desiredHash: 'wanted', resourceVersion: '5', ownedHash: 'h1', isAsked: false });
    cache.seen(record('a', 7, { uid: 'another' }));
    assert.equal(cache.mark(key), undefined);
  });
});
