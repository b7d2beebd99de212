import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { test } from 'node:test';
import { HostRefused, otherHosts, proxyOf } from './network.ts';

/** Answers each look-up with the next of these addresses. */
function resolving(...answers: readonly (readonly string[])[]): { resolve: LookupFunction; asked: string[] } {
  const asked: string[] = [];
  const resolve: LookupFunction = (host, options, answer) => {
    assert.equal(options.all, true);
    const addresses: LookupAddress[] = (answers[asked.push(host) - 1] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    answer(null, addresses);
  };
  return { resolve, asked };
}

const look = (lookup: LookupFunction | undefined, all: boolean): Promise<unknown> =>
  new Promise((done, fail) =>
    lookup?.('git.example.com', { all }, (error, address) => (error === null ? done(address) : fail(error))),
  );

test('a connection goes to what was looked at: a name is looked up once', async () => {
  const { resolve, asked } = resolving(['192.0.2.1'], ['127.0.0.1'], ['2001:db8::1', '192.0.2.2'], ['169.254.169.254']);
  const { lookup, pin } = otherHosts(resolve);
  assert.equal(await look(lookup, false), '192.0.2.1');
  await assert.rejects(look(lookup, false), new HostRefused('git.example.com', 'loopback', '127.0.0.1'));
  assert.equal(await pin('git.example.com'), '2001:db8::1');
  await assert.rejects(pin('git.example.com'), /git\.example\.com is at 169\.254\.169\.254, which is link-local/);
  assert.equal(asked.length, 4);
});

test('a name with one such address among others is refused, and one without any is unknown', async () => {
  const { resolve } = resolving(['192.0.2.1', '::ffff:127.0.0.1'], [], ['192.0.2.1', '192.0.2.2']);
  const { lookup } = otherHosts(resolve);
  await assert.rejects(look(lookup, true), HostRefused);
  await assert.rejects(look(lookup, true), { code: 'ENOTFOUND' });
  assert.deepEqual(await look(lookup, true), [
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
  ]);
});

test('what says it itself is not looked up', async () => {
  const { resolve, asked } = resolving();
  const { refuse, pin } = otherHosts(resolve);
  for (const host of ['127.0.0.1', '[::1]', 'localhost', 'metadata.google.internal']) {
    assert.throws(() => refuse(host), HostRefused);
    await assert.rejects(pin(host), HostRefused);
  }
  assert.equal(await pin('192.0.2.1'), undefined);
  assert.equal(await pin('[2001:db8::1]'), undefined);
  assert.deepEqual(asked, []);
});

test('a proxy is told in every notation', () => {
  assert.deepEqual(proxyOf('http://u:p@Proxy.example.com.:3128/'), { host: 'proxy.example.com', port: '3128' });
  assert.deepEqual(proxyOf('proxy.example.com:3128'), { host: 'proxy.example.com', port: '3128' });
  assert.deepEqual(proxyOf('socks5://0x7f.1'), { host: '127.0.0.1', port: '1080' });
  assert.deepEqual(proxyOf('https://[::1]'), { host: '[::1]', port: '443' });
  assert.equal(proxyOf('http://'), undefined);
});
