import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessTo, type RepositorySecret, withTrust } from './repositories.ts';

const url = 'https://git.example.com/team/app';

function secret(
  type: RepositorySecret['type'],
  of: string,
  fields: Readonly<Record<string, string>>,
  project = '',
): RepositorySecret {
  return { type, url: of, project, fields: { url: of, project, ...fields } };
}

test('nothing is known of a repository without a Secret', () =>
  assert.deepEqual(accessTo([], url, 'default'), { url }));

test('its own Secret comes before shared credentials', () => {
  const secrets = [
    secret('repo-creds', 'https://git.example.com', { username: 'shared', password: 's' }),
    secret('repository', `${url}.git`, { username: 'own', password: 'o' }),
  ];
  assert.deepEqual(accessTo(secrets, url, 'default'), { url, username: 'own', password: 'o' });
});

test('the longest prefix of shared credentials counts', () => {
  const secrets = [
    secret('repo-creds', 'https://git.example.com', { username: 'short' }),
    secret('repo-creds', 'https://git.example.com/team', { username: 'long' }),
    secret('repo-creds', 'https://git.example.com/team/other', { username: 'else' }),
  ];
  assert.equal(accessTo(secrets, url, 'default').username, 'long');
});

test('a Secret without credentials is filled from shared ones, and keeps what it says', () => {
  const secrets = [
    secret('repo-creds', 'https://git.example.com', { username: 'shared', password: 's', insecure: 'false' }),
    secret('repository', url, { insecure: 'true', proxy: 'http://proxy', username: '' }),
  ];
  assert.deepEqual(accessTo(secrets, url, 'default'), {
    url,
    username: 'shared',
    password: 's',
    insecure: true,
    proxy: 'http://proxy',
  });
});

test('a project sees its own and the global Secret, never that of another project', () => {
  const secrets = [
    secret('repository', url, { username: 'other' }, 'other'),
    secret('repository', url, { username: 'global' }),
    secret('repository', url, { username: 'mine' }, 'mine'),
  ];
  assert.equal(accessTo(secrets, url, 'mine').username, 'mine');
  assert.equal(accessTo(secrets, url, 'default').username, 'global');
  assert.equal(accessTo(secrets.slice(0, 1), url, 'default').username, undefined);
});

test('credentials of a host are not given to a host that begins like it', () => {
  const secrets = [secret('repo-creds', 'https://git.example.com', { username: 'u', password: 'p' })];
  assert.deepEqual(accessTo(secrets, 'https://git.example.com.evil.net/team/app', 'default'), {
    url: 'https://git.example.com.evil.net/team/app',
  });
});

test('credentials are sent to the host that is asked, not to one that is named before an @', () => {
  const secrets = [
    secret('repo-creds', 'http://git.example.com', { username: 'u', password: 'p' }),
    secret('repository', 'http://git.example.com/repo', { username: 'u', password: 'p' }),
  ];
  for (const evil of ['http://git.example.com:x@127.0.0.1:3000/repo', 'http://git.example.com@127.0.0.1:3000/repo'])
    assert.deepEqual(accessTo(secrets, evil, 'default'), { url: evil });
  assert.equal(accessTo(secrets, 'http://GIT.example.com:80//repo/', 'default').username, 'u');
});

test('shared credentials with a project serve that project only', () => {
  const secrets = [
    secret('repo-creds', 'https://git.example.com/team', { username: 'mine' }, 'mine'),
    secret('repo-creds', 'https://git.example.com/team', { username: 'global' }),
    secret('repo-creds', 'https://git.example.com/team/app', { username: 'other' }, 'other'),
  ];
  assert.equal(accessTo(secrets, url, 'mine').username, 'mine');
  assert.equal(accessTo(secrets, url, 'default').username, 'global');
  assert.equal(accessTo(secrets.slice(0, 1), url, 'other').username, undefined);
});

test('host keys go with ssh, certificates with their host, and nothing with the rest', () => {
  const knownHosts = { ssh_known_hosts: 'git.example.com ssh-ed25519 AAAA' };
  const certificates = { 'git.example.com': 'PEM', '[::1]': 'PEM 6', 'empty.example.com': ' ' };
  const trusted = (address: string) => withTrust({ url: address }, { knownHosts, certificates });
  for (const address of ['ssh://git@git.example.com/team/app', 'git@git.example.com:team/app'])
    assert.deepEqual(trusted(address), { url: address, knownHosts: knownHosts.ssh_known_hosts });
  for (const address of ['https://git.example.com/team/app', 'https://ada@Git.Example.com:8443/team/app'])
    assert.deepEqual(trusted(address), { url: address, ca: 'PEM' });
  assert.deepEqual(trusted('https://[::1]/app'), { url: 'https://[::1]/app', ca: 'PEM 6' });
  for (const address of ['https://other.example.com/a', 'https://empty.example.com/a', 'http://git.example.com/a'])
    assert.deepEqual(trusted(address), { url: address });
  assert.deepEqual(withTrust({ url: 'git@host:a' }, { knownHosts: {}, certificates: {} }), { url: 'git@host:a' });
});

test('credentials of a kind that is not supported are a reason not to ask, and are named', () => {
  for (const name of ['githubAppPrivateKey', 'gcpServiceAccountKey', 'azureServicePrincipalClientSecret']) {
    const fields = { url: 'https://git.example.com/shop', [name]: 'secret' };
    const { refusal } = accessTo([{ type: 'repository', url: fields.url, project: '', fields }], fields.url, '');
    assert.match(refusal ?? '', new RegExp(`its Secret has ${name}, which is not supported yet`));
    assert.doesNotMatch(refusal ?? '', /secret/);
  }
  const plain = { url: 'https://git.example.com/shop', useAzureWorkloadIdentity: 'false', password: 'x' };
  const secret = { type: 'repository', url: plain.url, project: '', fields: plain } as const;
  assert.equal(accessTo([secret], plain.url, '').refusal, undefined);
});
