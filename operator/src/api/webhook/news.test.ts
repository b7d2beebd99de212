import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { openNews, sealNews } from './news.ts';

const secrets = { 'github.secret': 's3cret-canary', 'gitlab.secret': 'another-canary' };
const parent = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'ci=7' };
const news = { urls: ['https://git.example.com/shop', 'git@git.example.com:shop.git'], parent };

test('news are opened by a replica with the same secrets, and hold none of them', () => {
  const sealed = sealNews(news, secrets);
  const turned = Object.fromEntries(Object.entries(secrets).reverse());
  assert.deepEqual(openNews(sealed, turned), news);
  const { parent: _, ...plain } = news;
  assert.deepEqual(openNews(sealNews(plain, secrets), secrets), plain);
  assert.doesNotMatch(`${Buffer.from(sealed.body)} ${sealed.seal}`, /canary/);
});

test('user information of addresses stays here, and what is no address', () => {
  const urls = ['https://ada:s3cret-canary@git.example.com/shop', 'git://git.example.com/shop', 'https://x/../y'];
  assert.deepEqual(openNews(sealNews({ urls }, secrets), secrets), { urls: ['https://git.example.com/shop'] });
});

test('other news, or the seal of other secrets, are not believed', () => {
  const { body, seal } = sealNews(news, secrets);
  const changed = Buffer.from(String(Buffer.from(body)).replace('shop', 'bank'));
  for (const forged of [
    '',
    undefined,
    'é'.repeat(64),
    createHmac('sha256', 's3cret-canary').update(body).digest('hex'),
  ])
    assert.equal(openNews({ body, seal: forged }, secrets), undefined);
  assert.equal(openNews({ body: changed, seal }, secrets), undefined);
  assert.equal(openNews({ body, seal }, { 'github.secret': 's3cret-canary' }), undefined);
  assert.equal(openNews({ body, seal: sealNews(news, {}).seal }, secrets), undefined);
});

test('where no webhook has a secret anybody may send news, as they may a delivery', () => {
  const sealed = sealNews(news, {});
  assert.equal(sealed.seal, undefined);
  assert.deepEqual(openNews(sealed, {}), news);
  for (const text of ['', 'null', '[]', '{"urls":"x"}', '{"urls":[1]}', '{', '['.repeat(60_000)])
    assert.equal(openNews({ body: Buffer.from(text), seal: undefined }, {}), undefined, text.slice(0, 20));
});
