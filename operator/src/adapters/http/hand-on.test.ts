import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { handedOnHeader, handOn } from './hand-on.ts';

let server: Server;
let address: string;
let answer: (request: IncomingMessage, response: ServerResponse, body: string) => void;

before(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    answer(request, response, Buffer.concat(chunks).toString('utf8'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const delivery = {
  method: 'POST',
  path: '/api/webhook',
  headers: { 'x-github-event': 'push', host: 'mooring.example.com', connection: 'close', 'content-length': '9999' },
  body: new TextEncoder().encode('{"ref":"ä"}'),
};

test('a request arrives as it came, marked, and is answered as the other one does', async () => {
  answer = ({ method, url, headers }, response, body) => {
    const { 'x-github-event': event, [handedOnHeader]: mark, host } = headers;
    response
      .writeHead(401)
      .end(JSON.stringify({ method, url, event, mark, isHere: address.endsWith(host ?? '-'), body }));
  };
  const { status, body } = await handOn(address, delivery);
  assert.equal(status, 401);
  assert.deepEqual(JSON.parse(body), {
    method: 'POST',
    url: '/api/webhook',
    event: 'push',
    mark: 'true',
    isHere: true,
    body: '{"ref":"ä"}',
  });
});

test('an answer that is too long is none, and a redirect is not followed', async () => {
  answer = (_request, response) => response.end('x'.repeat(5_000));
  await assert.rejects(handOn(address, delivery), /more than 4096 bytes/);
  answer = (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  assert.equal((await handOn(address, delivery)).status, 302);
});

for (const place of [
  'http://mooring:8080',
  'http://10.0.0.1',
  'http://10.0.0.1:0',
  'http://10.0.0.1:70000',
  'http://10.0.0:80',
  'http://[10.0.0.1]:80',
  'http://[::zz]:80',
  'https://10.0.0.1:80',
  'http://10.0.0.1:80/elsewhere',
  'http://user@10.0.0.1:80',
  'http://2130706433:80',
]) {
  test(`nothing is sent to ${place}`, async () => {
    await assert.rejects(handOn(place, delivery), /is not http:\/\/IP:PORT/);
  });
}

test('an address of IPv6 is one, too', async () => {
  await assert.rejects(handOn('http://[::1]:1', delivery), /ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/);
});
