import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createLog } from '../telemetry/log.ts';
import { bodiesBytes, connectionsPerAddress, type HttpServer, serve } from './server.ts';

const bodyBytes = 10 * 1024 * 1024;
let server: HttpServer;
const sockets: Socket[] = [];

function start(): Promise<HttpServer> {
  return serve(
    [
      {
        method: 'POST',
        path: '/in',
        bodyBytes,
        answer: ({ body }) => ({ status: 200, body: `${body.length}\n` }),
      },
      { method: 'GET', path: '/healthz', bodyBytes: 0, answer: () => ({ status: 200, body: 'ok\n' }) },
    ],
    { host: '127.0.0.1', port: 0 },
    createLog('silent'),
  );
}

before(async () => {
  server = await start();
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

/** Sends the head of a POST that promises `promised` bytes, or (undefined) one chunk after the other, and the first `sent` of them. Answers what comes back. */
function post(port: number, promised: number | undefined, sent: number): { readonly socket: Socket; said(): string } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    said += text;
  });
  // A server that closes the connection is what some of these tests are about.
  socket.on('error', () => {});
  const length = promised === undefined ? 'transfer-encoding: chunked' : `content-length: ${promised}`;
  socket.write(`POST /in HTTP/1.1\r\nhost: x\r\n${length}\r\n\r\n`);
  if (promised === undefined) socket.write(`${sent.toString(16)}\r\n`);
  socket.write(Buffer.alloc(sent, 0x78));
  return { socket, said: () => said };
}

async function until(what: string, isSo: () => boolean, ask: () => Promise<void> = async () => {}): Promise<void> {
  const end = performance.now() + 5_000;
  while (!isSo()) {
    assert.ok(performance.now() < end, `not so after 5 s: ${what}`);
    await ask();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('bodies', () => {
  test('one that is too long is answered with 413 before it is sent, and while it is sent', async () => {
    const promised = post(server.port, bodyBytes + 1, 0);
    await until('413 for what was promised', () => promised.said().startsWith('HTTP/1.1 413'));
    const chunked = post(server.port, undefined, bodyBytes + 1);
    await until('413 for what came', () => chunked.said().startsWith('HTTP/1.1 413'));
  });

  test('many at once are not all kept: beyond a number of bytes the next is sent away, and the server answers others', async () => {
    const count = Math.ceil(bodiesBytes / (bodyBytes - 1)) + 8;
    const many = Array.from({ length: count }, () => post(server.port, bodyBytes, bodyBytes - 1));
    await until('some are sent away', () => many.some(({ said }) => said().startsWith('HTTP/1.1 503')));
    await until('what is kept has its bound', () => {
      const kept = many.filter(({ said }) => said() === '').length;
      return kept * (bodyBytes - 1) <= bodiesBytes;
    });
    assert.equal((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
    for (const { socket } of many) socket.destroy();
    const url = `http://127.0.0.1:${server.port}/in`;
    let last = 0;
    await until(
      'a later one is taken',
      () => last === 200,
      async () => {
        last = (await fetch(url, { method: 'POST', body: 'small' })).status;
      },
    );
  });
});

test('it closes within two seconds, also while somebody sends slowly', async () => {
  const slow = await start();
  const one = post(slow.port, 100, 1);
  await until('connected', () => one.socket.readyState === 'open');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const startedAt = performance.now();
  await slow.close();
  assert.ok(performance.now() - startedAt < 2_000, `it took ${Math.round(performance.now() - startedAt)} ms`);
});

test('who holds all connections that one address may have keeps nobody else out', async () => {
  const crowded = await start();
  const held = Array.from({ length: connectionsPerAddress + 8 }, () => {
    const socket = connect({ port: crowded.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
    sockets.push(socket);
    // Those beyond the limit are closed by the server.
    socket.on('error', () => {});
    return socket;
  });
  const closed = (): number => held.filter((socket) => socket.destroyed).length;
  await until('what is beyond the limit is closed', () => closed() === 8);
  assert.equal((await fetch(`http://127.0.0.1:${crowded.port}/healthz`)).status, 200);
  held.find((socket) => !socket.destroyed)?.destroy();
  await until(
    'a place that is free is given to the same address again',
    () => held.at(-1)?.readyState === 'open',
    async () => {
      const socket = connect({ port: crowded.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
      sockets.push(socket);
      socket.on('error', () => {});
      socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
      const isAnswered = await new Promise<boolean>((resolve) => {
        socket.once('data', () => resolve(true)).once('close', () => resolve(false));
      });
      if (isAnswered) held.push(socket);
    },
  );
  await crowded.close();
});
