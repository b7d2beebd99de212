import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, test } from 'node:test';
import { grpcSender } from './grpc-sender.ts';
import { httpSender } from './http-sender.ts';
import { block, integer, text } from './protobuf.ts';
import type { Reply, Sender } from './sender.ts';

const undo: (() => unknown)[] = [];
after(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Lets a server listen on loopback, on a free port where none is given; connections end with it. */
async function listen(server: Server, port = 0): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  undo.push(close);
  return { port: (server.address() as AddressInfo).port, close };
}

interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** A gRPC server that answers every call with these trailers, after a message where one is given. */
function grpcServer(trailers: Record<string, string>, message?: Uint8Array, calls: Call[] = []): Server {
  const server = createHttp2Server();
  server.on('stream', async (stream: ServerHttp2Stream, headers) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    calls.push({ headers, body: Buffer.concat(chunks) });
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(message === undefined ? undefined : Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]));
  });
  return server;
}

function grpcTo(port: number, requestMs?: number): Sender {
  const sender = grpcSender(
    { url: new URL(`http://127.0.0.1:${port}`), headers: { 'x-team': 'shop', 'api-key': 'k-c4n4ry-1' } },
    ...(requestMs === undefined ? [] : [requestMs]),
  );
  undo.push(() => sender.close());
  return sender;
}

function httpTo(port: number, requestMs?: number): Sender {
  const sender = httpSender(
    { url: new URL(`http://127.0.0.1:${port}/v1/traces`), headers: { 'x-team': 'shop', 'api-key': 'k-c4n4ry-1' } },
    ...(requestMs === undefined ? [] : [requestMs]),
  );
  undo.push(() => sender.close());
  return sender;
}

const request = Uint8Array.of(1, 2, 3);
const partial = block(1, [integer(1, 2), text(2, 'two are too old')]);

test('a gRPC call has the path, the headers and one framed message', async () => {
  const calls: Call[] = [];
  const { port } = await listen(grpcServer({ 'grpc-status': '0' }, partial, calls));
  assert.deepEqual(await grpcTo(port).send(request), { kind: 'taken', rejected: 2, message: 'two are too old' });
  const [call] = calls;
  assert.equal(call?.headers[':path'], '/opentelemetry.proto.collector.trace.v1.TraceService/Export');
  assert.deepEqual(
    [call?.headers['content-type'], call?.headers['te'], call?.headers['x-team']],
    ['application/grpc', 'trailers', 'shop'],
  );
  assert.deepEqual([...(call?.body ?? [])], [0, 0, 0, 0, 3, 1, 2, 3]);
});

for (const [status, message, reply] of [
  ['14', 'try%20later', { kind: 'later', reason: 'gRPC status 14 (try later)' }],
  ['16', 'no%C2%A0entry', { kind: 'refused', reason: 'gRPC status 16 (no entry)' }],
  ['12', '', { kind: 'refused', reason: 'gRPC status 12; the receiver takes no traces' }],
  ['3', '%', { kind: 'refused', reason: 'gRPC status 3 (%)' }],
] as readonly (readonly [string, string, Reply])[]) {
  test(`gRPC status ${status} is ${reply.kind}`, async () => {
    const { port } = await listen(grpcServer({ 'grpc-status': status, 'grpc-message': message }));
    assert.deepEqual(await grpcTo(port).send(request), reply);
  });
}

test('a gRPC receiver that is restarted is reached again', async () => {
  const first = await listen(grpcServer({ 'grpc-status': '0' }));
  const sender = grpcTo(first.port);
  assert.equal((await sender.send(request)).kind, 'taken');
  await first.close();
  const missed = await sender.send(request);
  assert.equal(missed.kind, 'later');
  await listen(grpcServer({ 'grpc-status': '0' }), first.port);
  assert.equal((await sender.send(request)).kind, 'taken');
});

test('a port where HTTP/1 is spoken, or nothing, is tried later', async () => {
  const http1 = await listen(createServer((_, response) => response.end('hello')));
  assert.equal((await grpcTo(http1.port).send(request)).kind, 'later');
  await http1.close();
  for (const sender of [grpcTo(http1.port), httpTo(http1.port)]) {
    const reply = await sender.send(request);
    assert.match(reply.kind === 'later' ? reply.reason : '', /ECONNREFUSED/);
  }
});

test('HTTP/2 without gRPC is refused, and a proxy with nobody behind it tried later', async () => {
  for (const [status, kind] of [
    [404, 'refused'],
    [503, 'later'],
  ] as const) {
    const server = createHttp2Server((_, response) => {
      response.writeHead(status).end('not here');
    });
    const { port } = await listen(server);
    const reply = await grpcTo(port).send(request);
    assert.deepEqual(reply, { kind, reason: `HTTP ${status} and no gRPC status: no OTLP/gRPC is spoken there` });
  }
});

for (const [status, headers, body, reply] of [
  [200, {}, partial, { kind: 'taken', rejected: 2, message: 'two are too old' }],
  [200, {}, '', { kind: 'taken', rejected: 0, message: '' }],
  [429, { 'retry-after': '7' }, '', { kind: 'later', reason: 'HTTP 429', afterMs: 7_000 }],
  [503, {}, 'busy\n', { kind: 'later', reason: 'HTTP 503 (busy)' }],
  [
    400,
    { 'content-type': 'application/x-protobuf' },
    Buffer.concat([integer(1, 3), text(2, 'no traces')]),
    { kind: 'refused', reason: 'HTTP 400 (no traces)' },
  ],
  [307, { location: 'http://127.0.0.1:1/' }, '', { kind: 'refused', reason: 'HTTP 307' }],
] as readonly (readonly [number, Record<string, string>, string | Uint8Array, Reply])[]) {
  test(`HTTP ${status} is ${JSON.stringify(reply)}`, async () => {
    let seen: Call | undefined;
    const { port } = await listen(
      createServer(async (incoming, response) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of incoming as AsyncIterable<Uint8Array>) chunks.push(chunk);
        seen = { headers: incoming.headers, body: Buffer.concat(chunks) };
        response.writeHead(status, headers).end(body);
      }),
    );
    assert.deepEqual(await httpTo(port).send(request), reply);
    assert.deepEqual([...(seen?.body ?? [])], [...request]);
    assert.deepEqual([seen?.headers['content-type'], seen?.headers['x-team']], ['application/x-protobuf', 'shop']);
  });
}

test('a receiver that repeats the headers of a request is not repeated', async () => {
  const grpc = await listen(grpcServer({ 'grpc-status': '16', 'grpc-message': 'bad key k-c4n4ry-1' }));
  const http = await listen(createServer((_, response) => response.writeHead(401).end('bad key k-c4n4ry-1')));
  for (const sender of [grpcTo(grpc.port), httpTo(http.port)]) {
    const reply = await sender.send(request);
    assert.ok(reply.kind === 'refused');
    assert.match(reply.reason, /\(bad key \+{8}\)/);
  }
});

test('a receiver that does not answer is given up, and closing ends what is under way', async () => {
  let arrived = (): void => {};
  const silent = createHttp2Server();
  silent.on('stream', () => arrived());
  const { port } = await listen(silent);
  assert.deepEqual(await grpcTo(port, 50).send(request), { kind: 'later', reason: 'no answer within 0.05 s' });
  const mute = await listen(createServer(() => arrived()));
  assert.deepEqual(await httpTo(mute.port, 50).send(request), { kind: 'later', reason: 'no answer within 0.05 s' });
  for (const sender of [grpcTo(port), httpTo(mute.port)]) {
    const isThere = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const reply = sender.send(request);
    await isThere;
    sender.close();
    assert.equal((await reply).kind, 'later');
  }
});
