import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createClock, type SimClock } from '../../../sim/clock.ts';
import type { Check, Problem } from '../../world/readiness.ts';
import { createReadiness, type Readiness } from './readiness.ts';

const outageMs = 60_000;
let clock: SimClock;
let readiness: Readiness;
let lines: string[];
let told: string[];

beforeEach(() => {
  clock = createClock(0);
  lines = [];
  told = [];
  const line = (_: object, message: string): void => void lines.push(message);
  const log = { debug: line, info: line, warn: line, error: line };
  readiness = createReadiness({ clock, log, outageMs, tell: ({ reason }) => void told.push(reason) });
});

const all: readonly Check[] = [
  'api-server',
  'permissions',
  'crds',
  'settings',
  'default-project',
  'controllers',
  'caches',
];

async function get(target: string): Promise<{ readonly status: number; readonly body: string }> {
  const [path = '', query] = target.split('?');
  const route = readiness.routes.find((one) => one.path === path);
  assert.ok(route, path);
  const request = { method: 'GET', path, query: new URLSearchParams(query), headers: {}, body: new Uint8Array() };
  return route.answer(request);
}

const gone: Problem = { reason: 'APIServerUnreachable', message: 'nobody there' };

test('it is ready when nothing is missing, and alive all the time', async () => {
  assert.deepEqual(await get('/livez'), { status: 200, body: 'ok\n' });
  assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok\n' });
  const { status, body } = await get('/readyz');
  assert.equal(status, 503);
  assert.match(
    body,
    /^api-server: it has not answered yet\npermissions: .*\ncrds: .*\nsettings: .*\ncontrollers: .*\ncaches: .*\n$/,
  );
  for (const check of all) readiness.report(check, []);
  for (const path of ['/readyz', '/healthz?full=true'])
    assert.deepEqual(await get(path), { status: 200, body: 'ok\n' }, path);
  assert.ok(readiness.isReady());
  assert.deepEqual([lines, told], [[], []]);
});

test('each problem is told once, and one line says that it is over', async () => {
  for (const check of all) readiness.report(check, []);
  const bad = (key: string): Problem => ({ reason: 'SettingInvalid', message: `${key} is wrong` });
  for (let times = 0; times < 3; times++) readiness.report('settings', [bad('a'), bad('b')]);
  assert.deepEqual(lines, ['a is wrong', 'b is wrong']);
  assert.deepEqual(await get('/readyz'), { status: 200, body: 'settings: a is wrong\nsettings: b is wrong\nok\n' });
  const { body } = await get('/readyz?verbose');
  assert.match(body, /\n\[\+\]settings goes on without: a is wrong\n\[\+\]settings goes on without: b is wrong\n/);
  assert.match(body, /readyz check passed\n$/);
  readiness.report('settings', [bad('b'), bad('c')]);
  readiness.report('settings', []);
  readiness.report('settings', []);
  assert.deepEqual(lines.splice(0), ['a is wrong', 'b is wrong', 'c is wrong', 'settings: all is well again']);
  assert.equal(told.length, 3);
  readiness.report('settings', [bad('a')]);
  assert.deepEqual(lines, ['a is wrong']);
});

test('an API server that goes is told at once, and makes the operator unready only after a while', async () => {
  for (const check of all) readiness.report(check, []);
  readiness.report('api-server', [gone]);
  assert.deepEqual(await get('/readyz'), { status: 200, body: 'api-server: nobody there\nok\n' });
  assert.match((await get('/readyz?verbose')).body, /^\[\+\]api-server tolerated for now: nobody there\n/);
  await clock.passUntil(outageMs - 1);
  readiness.report('api-server', [{ ...gone, message: 'reset' }]);
  assert.equal((await get('/readyz')).status, 200);
  await clock.passUntil(outageMs);
  assert.deepEqual(await get('/readyz'), { status: 503, body: 'api-server: reset\n' });
  readiness.report('api-server', []);
  assert.equal((await get('/readyz')).status, 200);
});

test('an API server that was never there makes it unready from the start', async () => {
  for (const check of all.slice(1)) readiness.report(check, []);
  readiness.report('api-server', [gone]);
  assert.deepEqual(await get('/readyz'), { status: 503, body: 'api-server: nobody there\n' });
});

test('one that stops is not ready any more, and alive to the end', async () => {
  for (const check of all) readiness.report(check, []);
  readiness.stop();
  for (const path of ['/readyz', '/readyz?verbose'])
    assert.deepEqual(await get(path), { status: 503, body: 'stopping\n' }, path);
  assert.ok(!readiness.isReady());
  assert.equal((await get('/livez')).status, 200);
});

test('an outage with ever new texts is bounded in what it logs and remembers', () => {
  for (let index = 0; index < 1_000; index++) readiness.report('api-server', [{ ...gone, message: `${index}` }]);
  assert.equal(lines.length, 20);
});

test('what really stops the work makes it unready, line by line', async () => {
  for (const check of all) readiness.report(check, []);
  readiness.report('permissions', [{ reason: 'PermissionsMissing', message: 'not allowed' }]);
  assert.deepEqual(await get('/readyz'), { status: 503, body: 'permissions: not allowed\n' });
  assert.equal((await get('/healthz?full=true')).status, 503);
  assert.equal((await get('/healthz')).status, 200);
  const { body } = await get('/readyz?verbose');
  assert.match(body, /^\[\+\]api-server ok\n\[-\]permissions: not allowed\n.*\nreadyz check failed\n$/s);
});

test('who asks for everything is told notes, too', async () => {
  for (const check of all) readiness.report(check, []);
  readiness.report('settings', [], ['argocd-cm url is not read']);
  assert.deepEqual(await get('/readyz'), { status: 200, body: 'ok\n' });
  assert.match(
    (await get('/readyz?verbose')).body,
    /\[\+\]settings ok\n\[\+\]settings note: argocd-cm url is not read\n/,
  );
  assert.deepEqual(lines, []);
});
