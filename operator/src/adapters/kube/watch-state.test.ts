import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { initialWatchState, stepWatch, type WatchEffect, type WatchEvent, type WatchState } from './watch-state.ts';

function run(...events: readonly WatchEvent[]): { readonly state: WatchState; readonly effects: readonly string[] } {
  let state = initialWatchState;
  const effects: string[] = [];
  for (const event of events) {
    const [next, done] = stepWatch(state, event);
    state = next;
    effects.push(...done.map(describeEffect));
  }
  return { state, effects };
}

function describeEffect(effect: WatchEffect): string {
  switch (effect.do) {
    case 'open':
      return `open ${effect.resourceVersion ?? 'list'}`;
    case 'get-page':
      return `get-page ${effect.more ?? 'first'}`;
    case 'end-list':
      return `end-list ${effect.resourceVersion}`;
    case 'wait':
      return `wait ${effect.ms}`;
    case 'report-failure':
      return `report-failure ${effect.why} ${effect.refusals}`;
    default:
      return effect.do;
  }
}

const start: WatchEvent = { what: 'start' };
const opened: WatchEvent = { what: 'opened' };
const confirmed: WatchEvent = { what: 'confirmed' };
const timer: WatchEvent = { what: 'timer' };
const listed: WatchEvent = { what: 'list-end', resourceVersion: '10' };
const broken: WatchEvent = { what: 'failed', why: 'broken', random: 1 };
const gone: WatchEvent = { what: 'failed', why: 'gone', random: 1 };

describe('a watch', () => {
  test('lists by a stream and goes on as a watch', () => {
    const { state, effects } = run(start, { what: 'opened' }, { what: 'progress', resourceVersion: '7' }, listed, {
      what: 'progress',
      resourceVersion: '12',
    });
    assert.deepEqual(effects, ['begin-list', 'open list', 'end-list 10', 'report-live']);
    assert.deepEqual(state, {
      at: 'watching',
      resourceVersion: '12',
      heard: true,
      failures: 0,
      refusals: 0,
      relists: 0,
      streaming: true,
    });
  });

  test('lists in pages where the server knows no streaming list, from then on', () => {
    const unsupported: WatchEvent = { what: 'failed', why: 'unsupported', random: 1 };
    const page = (more: string | undefined): WatchEvent => ({ what: 'page', more, resourceVersion: '10' });
    const { effects } = run(start, unsupported, timer, page('a'), page(undefined), gone, timer);
    assert.deepEqual(effects, [
      ...['begin-list', 'open list', 'close', 'wait 0'],
      ...['begin-list', 'get-page first', 'get-page a', 'end-list 10', 'report-live', 'open 10'],
      ...['close', 'wait 0', 'begin-list', 'get-page first'],
    ]);
  });

  test('goes on from where it was after a broken connection', () => {
    const { effects } = run(
      start,
      listed,
      { what: 'progress', resourceVersion: '12' },
      broken,
      timer,
      opened,
      confirmed,
    );
    assert.deepEqual(effects.slice(4), [
      ...['close', 'report-failure broken 1', 'wait 100', 'open 12'],
      ...['confirm', 'report-live'],
    ]);
  });

  test('lists anew where the server has gone back behind the version that it is taken up from', () => {
    const { effects } = run(start, listed, broken, timer, opened, gone, timer);
    assert.deepEqual(effects.slice(4), [
      ...['close', 'report-failure broken 1', 'wait 100', 'open 10'],
      ...['confirm', 'close', 'wait 0', 'begin-list', 'open list'],
    ]);
  });

  test('begins anew where a list was broken', () => {
    const { effects } = run(start, { what: 'progress', resourceVersion: '7' }, broken, timer);
    assert.deepEqual(effects.slice(2), ['close', 'report-failure broken 1', 'wait 100', 'begin-list', 'open list']);
  });

  test('lists anew at once where its version is too old, however often it failed before, and with patience where that goes on', () => {
    const { effects } = run(start, listed, broken, timer, broken, timer, gone, timer, listed, gone, timer);
    assert.deepEqual(effects.slice(12), [
      ...['close', 'wait 0', 'begin-list', 'open list', 'end-list 10', 'report-live'],
      ...['close', 'report-failure gone 1', 'wait 200', 'begin-list', 'open list'],
    ]);
  });

  test('waits as long as the server says', () => {
    const { effects } = run(start, listed, { ...broken, retryAfterMs: 1_500 });
    assert.equal(effects.at(-1), 'wait 1500');
  });

  test('goes on at once where the server ended it after it was heard, and waits where it was not', () => {
    const { effects } = run(start, listed, { what: 'ended' }, { what: 'ended' });
    assert.deepEqual(effects.slice(4), ['close', 'open 10', 'close', 'report-failure broken 1', 'wait 75']);
  });

  test('waits longer and longer, but never 8 s or more, and up to two minutes where it is not allowed', () => {
    const waits: (string | undefined)[] = [];
    let state: WatchState = initialWatchState;
    for (let round = 0; round < 12; round++) {
      state = stepWatch(state, timer)[0];
      const [next, effects] = stepWatch(state, { what: 'failed', why: 'broken', random: 0.999 });
      state = next;
      waits.push(effects.map(describeEffect).find((effect) => effect.startsWith('wait')));
    }
    assert.ok(waits.every((wait) => Number(wait?.slice(5)) < 8_000));
    assert.ok(Number(waits.at(-1)?.slice(5)) > 7_000);
    assert.deepEqual(run(start, { what: 'failed', why: 'unserved', random: 1 }).effects.at(-1), 'wait 100');
    const forbidden: WatchEvent = { what: 'failed', why: 'forbidden', random: 1 };
    assert.deepEqual(
      run(start, ...Array(4).fill([forbidden, timer]).flat()).effects.filter((effect) => effect.startsWith('wait')),
      ['wait 30000', 'wait 60000', 'wait 120000', 'wait 120000'],
    );
  });

  test('counts refusals until one is accepted, but waits longer until something is heard', () => {
    const accepted = run(start, listed, broken, timer, broken, timer, opened, confirmed);
    assert.deepEqual([accepted.state.failures, accepted.state.refusals], [2, 0]);
    const heard = run(start, listed, broken, timer, opened, confirmed, { what: 'progress', resourceVersion: '11' });
    assert.deepEqual([heard.state.failures, heard.state.refusals], [0, 0]);
  });

  test('does nothing more once it is stopped', () => {
    const { effects } = run(
      start,
      listed,
      { what: 'stop' },
      timer,
      broken,
      { what: 'progress', resourceVersion: '20' },
      { what: 'stop' },
    );
    assert.deepEqual(effects.slice(4), ['close']);
  });

  test('whatever happens, has one stream or list or wait at a time, and goes on only from a version of a complete list', () => {
    const version = fc.integer({ min: 1, max: 99 }).map(String);
    const event: fc.Arbitrary<WatchEvent> = fc.oneof(
      fc.constant(opened),
      fc.constant(confirmed),
      fc.constant<WatchEvent>({ what: 'ended' }),
      fc.constant<WatchEvent>(timer),
      version.map((resourceVersion): WatchEvent => ({ what: 'progress', resourceVersion })),
      version.map((resourceVersion): WatchEvent => ({ what: 'list-end', resourceVersion })),
      fc.record({
        what: fc.constant('page' as const),
        more: fc.option(fc.string(), { nil: undefined }),
        resourceVersion: version,
      }),
      fc.record({
        what: fc.constant('failed' as const),
        why: fc.constantFrom(
          'gone' as const,
          'unsupported' as const,
          'forbidden' as const,
          'unserved' as const,
          'broken' as const,
        ),
        random: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = initialWatchState;
        let busy: 'nothing' | 'stream' | 'page' | 'wait' = 'wait';
        let isListing = false;
        let isComplete = false;
        for (const next of [start, ...events]) {
          const [after, effects] = stepWatch(state, next);
          if (next.what === 'page' && state.at === 'paged-list') busy = 'nothing';
          if ((next.what === 'timer' || next.what === 'start') && state.at === 'waiting') busy = 'nothing';
          for (const effect of effects) {
            if (effect.do === 'close') busy = 'nothing';
            if (effect.do === 'begin-list') [isListing, isComplete] = [true, false];
            if (effect.do === 'end-list') {
              assert.ok(isListing);
              [isListing, isComplete] = [false, true];
            }
            if (effect.do === 'open' || effect.do === 'get-page' || effect.do === 'wait') {
              assert.equal(busy, 'nothing', `${effect.do} while busy with a ${busy}`);
              busy = effect.do === 'open' ? 'stream' : effect.do === 'get-page' ? 'page' : 'wait';
            }
            if (effect.do === 'open') assert.equal(effect.resourceVersion !== undefined, isComplete);
            if (effect.do === 'report-live') assert.ok(isComplete);
          }
          state = after;
        }
        assert.notEqual(busy, 'nothing', 'something is always under way');
      }),
    );
  });
});
