import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeLocal } from './node-local.ts';
import { findRepositoryAddress } from './repository-url.ts';

const kinds: Readonly<Record<string, readonly string[]>> = {
  loopback: [
    ...['127.0.0.1', '127.255.0.9', '127.1', '0x7f000001', '0x7f.1', '2130706433', '017700000001', '0177.0.0.1'],
    ...[
      '127.0.0.1.',
      '１２７.0.0.1',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
    ],
    ...['[::ffff:0:127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]'],
  ],
  unspecified: ['0.0.0.0', '0', '0x0', '0.1.2.3', '[::]', '[::ffff:0.0.0.0]', '[64:ff9b::]'],
  'link-local': [
    ...['169.254.169.254', '169.254.0.1', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '169.16689662'],
    ...['[fe80::1]', '[febf::1]', '[::ffff:169.254.169.254]', '[2002:a9fe:a9fe::1]', '[64:ff9b::a9fe:a9fe]'],
  ],
  'the metadata service': [
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '[fd00:ec2::254]',
    '[fd00:ec2:0::23]',
    '[fd20:ce::254]',
    '[fd00:42::42]',
  ],
  'this machine': [
    'localhost',
    'LOCALHOST.',
    'git.localhost',
    'ip6-loopback',
    'metadata.google.internal',
    'Metadata.Google.Internal.',
  ],
};

for (const [kind, hosts] of Object.entries(kinds)) {
  for (const host of hosts) {
    test(`${host} is ${kind}, over HTTP and SSH`, () => {
      for (const url of [`http://${host}/a`, `https://u@${host}:8443/a`, `ssh://git@${host}/a`])
        assert.equal(nodeLocal(findRepositoryAddress(url)?.host ?? 'no address'), kind, url);
    });
  }
}

for (const host of [
  ...[
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '100.100.100.201',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '1.0.0.0',
  ],
  ...['[2001:db8::1]', '[fd00::1]', '[fec0::1]', '[::ffff:10.0.0.1]', '[64:ff9b::8.8.8.8]', '[2002:808:808::1]'],
  ...['git.example.com', 'localhost.example.com', 'metadata', 'git.svc.cluster.local'],
]) {
  test(`${host} is a place in the network`, () =>
    assert.equal(nodeLocal(findRepositoryAddress(`https://${host}/a`)?.host ?? 'localhost'), undefined));
}

test('what a look-up answers is told, with its zone', () => {
  assert.equal(nodeLocal('fe80::1%eth0'), 'link-local');
  assert.equal(nodeLocal('::ffff:127.0.0.1'), 'loopback');
});
