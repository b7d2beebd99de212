import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { handOn, sealHeader } from './hand-on.ts';

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

const news = { body: new TextEncoder().encode('{"urls":["ä"]}'), seal: 'sealed' };
const path = '/api/handed-on';

test('what is handed on arrives with its seal and nothing else, and is answered as the other one does', async () => {
  answer = ({ method, url, headers }, response, body) => {
    const { host, connection: _, ...others } = headers;
    response.writeHead(401).end(JSON.stringify({ method, url, others, isHere: address.endsWith(host ?? '-'), body }));
  };
  const { status, body } = await handOn(address, path, news);
  assert.equal(status, 401);
  assert.deepEqual(JSON.parse(body), {
    method: 'POST',
    url: path,
    others: { 'content-length': '15', [sealHeader]: 'sealed' },
    isHere: true,
    body: '{"urls":["ä"]}',
  });
});

test('an answer that is too long is none, and a redirect is not followed', async () => {
  answer = (_request, response) => response.end('x'.repeat(5_000));
  await assert.rejects(handOn(address, path, news), /more than 4096 bytes/);
  answer = (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  assert.equal((await handOn(address, path, news)).status, 302);
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
    await assert.rejects(handOn(place, path, news), /is not http:\/\/IP:PORT/);
  });
}

test('an address of IPv6 is one, too', async () => {
  await assert.rejects(handOn('http://[::1]:1', path, news), /ECONNREFUSED|EADDRNOTAVAIL|EAFNOSUPPORT/);
});
