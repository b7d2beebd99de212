import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { operatorLimits } from '../../model/limits.ts';
import type { KubeRequestFacts } from '../../world/telemetry.ts';
import { systemClock, systemRandom } from '../time/system.ts';
import { createClient, type KubeClient } from './client.ts';
import { createFence } from './fence.ts';
import { type KubeRequest, plainGet } from './request.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let server: Server;
let client: KubeClient;
let answer: Answer;
let requests: string[];
let mostAtOnce: number;
let asked: string[];
let batches: number[];

beforeEach(async () => {
  requests = [];
  asked = [];
  batches = [];
  let now = 0;
  mostAtOnce = 0;
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    now++;
    mostAtOnce = Math.max(mostAtOnce, now);
    response.on('close', () => now--);
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  client = createClient(
    { server: `${address()}/prefix`, authorization: async (renew) => (renew ? 'Bearer new' : 'Bearer old') },
    context(),
    'https://shop.example.com',
  );
});

afterEach(async () => {
  await client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function address(): string {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? `http://127.0.0.1:${bound.port}` : '';
}

function context(limits: Partial<typeof operatorLimits> = {}) {
  return {
    clock: systemClock,
    random: systemRandom,
    metrics: {
      kubeAsked: ({ server: name, verb, status, durationMs, object }: KubeRequestFacts) =>
        asked.push(`${name} ${verb} ${status} ${durationMs !== undefined} ${object?.plural} ${object?.namespace}`),
      watched: ({ events }: { readonly events: number }) => batches.push(events),
    },
    limits: { ...operatorLimits, requestTimeoutMs: 2_000, ...limits },
  };
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

const get = plainGet('/api');
const create: KubeRequest = { ...get, method: 'POST', body: '{}', contentType: 'application/json', repeatable: false };

describe('a request', () => {
  test("goes below the server's path with its credentials, and is answered parsed", async () => {
    answer = ({ headers }, response) =>
      json(response, 200, { authorization: headers.authorization, accept: headers.accept });
    assert.deepEqual(await client.send(get), { authorization: 'Bearer old', accept: 'application/json' });
    assert.deepEqual(requests, ['GET /prefix/api']);
  });

  test('has the header of the span that it is made for, and none where it is made for none', async () => {
    answer = ({ headers }, response) => json(response, 200, { traceparent: headers['traceparent'] ?? 'none' });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    assert.deepEqual(await client.send({ ...get, traceparent }), { traceparent });
    assert.deepEqual(await client.send(get), { traceparent: 'none' });
  });

  test('is sent again with new credentials after a 401, once', async () => {
    answer = ({ headers }, response) =>
      headers.authorization === 'Bearer new' ? json(response, 200, { ok: true }) : json(response, 401, {});
    assert.deepEqual(await client.send(get), { ok: true });
    answer = (_request, response) => json(response, 401, {});
    await assert.rejects(client.send(get), { code: 'cluster-refused' });
    assert.equal(requests.length, 4);
  });

  test('is measured each time that it is sent, with what came of it and what it is about', async () => {
    answer = (_request, response) => json(response, requests.length === 2 ? 503 : 200, {});
    const key = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' };
    await client.send(get);
    await client.send({ ...get, query: { limit: '500' } });
    await client.send({ ...create, method: 'PATCH', key, plural: 'deployments' });
    answer = (request) => request.socket.resetAndDestroy();
    await assert.rejects(client.send(create));
    assert.deepEqual(asked, [
      'https://shop.example.com Get 200 true undefined undefined',
      'https://shop.example.com List 503 true undefined undefined',
      'https://shop.example.com List 200 true undefined undefined',
      'https://shop.example.com Patch 200 true deployments shop',
      'https://shop.example.com Create undefined true undefined undefined',
    ]);
  });

  test('waits as long as a 429 says, whatever it does', async () => {
    answer = (_request, response, count) =>
      count === 1 ? json(response, 429, {}, { 'retry-after': '1' }) : json(response, 200, { ok: true });
    const started = performance.now();
    assert.deepEqual(await client.send(create), { ok: true });
    const waited = performance.now() - started;
    assert.ok(waited >= 990 && waited < 1_900, `${waited} ms`);
  });

  for (const status of [502, 503, 504]) {
    test(`is tried four times after a ${status}, unless it must not be repeated`, async () => {
      answer = (_request, response) => response.writeHead(status).end('<html>Bad Gateway</html>');
      await assert.rejects(client.send(get), { code: 'cluster-unreachable', message: /<html>Bad Gateway/ });
      assert.equal(requests.length, 4);
      await assert.rejects(client.send(create), { code: 'cluster-unreachable' });
      assert.equal(requests.length, 5);
    });
  }

  test('survives broken connections, unless it must not be repeated', async () => {
    answer = (request, response, count) =>
      count < 3 ? request.socket.resetAndDestroy() : json(response, 200, { ok: true });
    assert.deepEqual(await client.send(get), { ok: true });
    answer = (request) => request.socket.resetAndDestroy();
    requests.length = 0;
    await assert.rejects(client.send(create), { code: 'cluster-unreachable', message: /cannot be reached/ });
    assert.equal(requests.length, 1);
  });

  test('survives an answer that is cut', async () => {
    answer = (request, response, count) => {
      if (count > 1) return json(response, 200, { ok: true });
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"ok":');
      setTimeout(() => request.socket.destroy(), 20);
    };
    assert.deepEqual(await client.send(get), { ok: true });
  });

  test('that is answered with something else says so', async () => {
    answer = (_request, response) => response.writeHead(200).end('<html>Log in</html>');
    await assert.rejects(client.send(get), { code: 'cluster-unreachable', message: /is no JSON/ });
  });

  test('is not repeated after a refusal', async () => {
    answer = (_request, response) => json(response, 422, { kind: 'Status', message: 'no' });
    await assert.rejects(client.send({ ...get, key: { group: '', kind: 'A', namespace: '', name: 'b' } }), {
      code: 'object-refused',
    });
    assert.equal(requests.length, 1);
  });

  test('ends with too large an answer, and with none in time', async () => {
    answer = (_request, response) => response.writeHead(200).end('x'.repeat(2_000));
    const small = createClient({ server: address() }, context({ responseBytes: 1_000, requestTimeoutMs: 200 }));
    await assert.rejects(small.send(get), { code: 'limit-reached' });
    answer = () => {};
    await assert.rejects(small.send(create), { code: 'cluster-unreachable', message: /UND_ERR_HEADERS_TIMEOUT/ });
    await small.close();
  });

  test('waits for its turn among as many as are allowed', async () => {
    answer = (_request, response) => setTimeout(() => json(response, 200, {}), 20);
    const narrow = createClient({ server: address() }, context({ requestsPerCluster: 3 }));
    await Promise.all(Array.from({ length: 20 }, () => narrow.send(get)));
    assert.equal(requests.length, 20);
    assert.equal(mostAtOnce, 3);
    await narrow.close();
  });

  test('to where nobody listens fails at once', async () => {
    const nobody = createClient({ server: 'https://127.0.0.1:1' }, context());
    const started = performance.now();
    await assert.rejects(nobody.send(get), {
      code: 'cluster-unreachable',
      message: /https:\/\/127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/,
    });
    assert.ok(performance.now() - started < 1_000);
    await nobody.close();
  });
});

test('connections are made anew where what secures them has changed; what is under way goes on', async () => {
  let ports = new Set<number | undefined>();
  let end = (): void => {};
  answer = (request, response) => {
    if (request.url !== '/watch') {
      ports.add(request.socket.remotePort);
      return json(response, 200, {});
    }
    response.writeHead(200).write('1\n');
    end = () => void response.end('2\n');
  };
  const asked: boolean[] = [];
  let tls = {};
  const changing = createClient(
    {
      server: address(),
      tls: async (renew) => {
        asked.push(renew);
        return tls;
      },
    },
    context(),
  );
  const lines: string[] = [];
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  changing.stream(plainGet('/watch'), {
    opened: begun.resolve,
    line: (line) => lines.push(line),
    ended: ended.resolve,
    failed: ended.reject,
  });
  await begun.promise;
  const sendSome = async (): Promise<ReadonlySet<number | undefined>> => {
    ports = new Set();
    for (let count = 0; count < 10; count++) await changing.send(get);
    return ports;
  };
  const before = await sendSome();
  tls = {};
  const after = await sendSome();
  assert.ok(before.size < 5 && after.isDisjointFrom(before), `${[...before]} and ${[...after]}`);
  end();
  await ended.promise;
  assert.deepEqual(lines, ['1', '2']);
  assert.ok(!asked.splice(0).includes(true));
  answer = (request) => void request.socket.destroy();
  await assert.rejects(changing.send(plainGet('/d')), { code: 'cluster-unreachable' });
  assert.deepEqual(asked, [false, true, true, true], 'after a failure what secures them is looked at again');
  await changing.close();
});

describe('a write before a fence', () => {
  let leads: boolean;
  const fence = createFence(() => leads, systemClock);

  beforeEach(() => {
    leads = true;
  });

  test('goes through while this replica leads; questions and reviews of rights do in any case', async () => {
    answer = (_request, response) => json(response, 200, { ok: true });
    const fenced = createClient({ server: address() }, { ...context(), fence });
    assert.deepEqual(await fenced.send(create), { ok: true });
    leads = false;
    await assert.rejects(fenced.send(create), { code: 'not-leading' });
    await assert.rejects(fenced.send({ ...create, method: 'DELETE' }), { code: 'not-leading' });
    await fenced.send(get);
    await fenced.send({ ...create, path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews' });
    assert.deepEqual(requests, [
      'POST /api',
      'GET /api',
      'POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    ]);
    await fenced.close();
  });

  test('is held against it when it gets its connection, and not when it begins to wait for one', async () => {
    const held = Promise.withResolvers<() => void>();
    answer = (_request, response) => held.resolve(() => json(response, 200, {}));
    const fenced = createClient({ server: address() }, { ...context({ requestsPerCluster: 1 }), fence });
    const first = fenced.send(get);
    const release = await held.promise;
    const waiting = Promise.allSettled([fenced.send(create), fenced.send(create)]);
    leads = false;
    release();
    await first;
    assert.deepEqual(
      (await waiting).map((end) => end.status === 'rejected' && (end.reason as { code: string }).code),
      ['not-leading', 'not-leading'],
    );
    leads = true;
    answer = (_request, response) => json(response, 200, { ok: true });
    assert.deepEqual(await fenced.send(create), { ok: true }, 'the connection is as good as before');
    assert.deepEqual(requests, ['GET /api', 'POST /api']);
    await fenced.close();
  });

  test('is held against it again each time that it is repeated', async () => {
    answer = (_request, response) => {
      leads = false;
      json(response, 429, {}, { 'retry-after': '0' });
    };
    const fenced = createClient({ server: address() }, { ...context(), fence });
    await assert.rejects(fenced.send(create), { code: 'not-leading' });
    assert.equal(requests.length, 1);
    await fenced.close();
  });

  test('counts as under way until it is answered or broken', async () => {
    const fenced = createClient({ server: address() }, { ...context(), fence });
    for (const how of ['answer', 'break'] as const) {
      const arrived = Promise.withResolvers<() => void>();
      answer = (request, response) => {
        if (request.method === 'GET') return json(response, 200, {});
        arrived.resolve(() => (how === 'answer' ? json(response, 200, {}) : request.socket.resetAndDestroy()));
      };
      const write = Promise.allSettled([fenced.send(create)]);
      const end = await arrived.promise;
      let isIdle = false;
      const idle = fence.idle(60_000).then(() => {
        isIdle = true;
      });
      await fenced.send(get);
      assert.equal(isIdle, false);
      end();
      await Promise.all([write, idle]);
    }
    await fence.idle(60_000);
    await fenced.close();
  });
});

describe('a watch', () => {
  function listen(): { readonly heard: string[]; readonly stop: () => void } {
    const heard: string[] = [];
    const stop = client.stream(
      { ...get, query: { watch: 'true' } },
      {
        opened: () => heard.push('opened'),
        line: (line) => heard.push(line),
        ended: () => heard.push('ended'),
        failed: (fault) => heard.push(`failed ${fault.code}`),
      },
    );
    return { heard, stop };
  }

  async function heardAll(heard: readonly string[], count: number): Promise<void> {
    for (let round = 0; heard.length < count && round < 300; round++)
      await new Promise((resolve) => setTimeout(resolve, 10));
  }

  test('tells each line, and its end', async () => {
    answer = (_request, response) => {
      response.write('one\ntw');
      setTimeout(() => response.end('o\n'), 30);
    };
    const { heard } = listen();
    await heardAll(heard, 4);
    assert.deepEqual(heard, ['opened', 'one', 'two', 'ended']);
    assert.deepEqual(batches, [1, 1]);
    assert.deepEqual(asked, ['https://shop.example.com Watch 200 false undefined undefined']);
  });

  test('tells of a refusal and of a broken connection', async () => {
    answer = (_request, response) => json(response, 403, {});
    const refused = listen();
    await heardAll(refused.heard, 1);
    assert.deepEqual(refused.heard, ['failed cluster-refused']);
    answer = (request, response) => {
      response.write('one\n');
      setTimeout(() => request.socket.resetAndDestroy(), 30);
    };
    const broken = listen();
    await heardAll(broken.heard, 3);
    assert.deepEqual(broken.heard, ['opened', 'one', 'failed cluster-unreachable']);
  });

  test('that is stopped tells nothing more, and takes no place from requests', async () => {
    answer = (request, response) =>
      request.headers.accept === 'watch' ? response.write('one\n') : json(response, 200, {});
    const narrow = createClient({ server: address() }, context({ requestsPerCluster: 1 }));
    const heard: string[] = [];
    const listener = {
      opened: () => {},
      line: (line: string) => heard.push(line),
      ended: () => heard.push('ended'),
      failed: () => heard.push('failed'),
    };
    const stops = [1, 2, 3].map(() => narrow.stream({ ...get, accept: 'watch' }, listener));
    await heardAll(heard, 3);
    assert.deepEqual(await narrow.send(get), {});
    for (const stop of stops) stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(heard, ['one', 'one', 'one']);
    await narrow.close();
  });
});
