import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fromKubeconfig, fromServiceAccount, isInCluster, ownPod, serviceAccountNamespace } from './connect.ts';
import type { Connection } from './connection.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-connect-'));
});
after(() => rm(folder, { recursive: true }));

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function tlsOf(connection: Connection): Promise<string[]> {
  const { ca, cert, key, serverName, insecure } = (await connection.tls?.(false)) ?? {};
  return [ca, cert, key, serverName, insecure].map(String);
}

function kubeconfig(user: Readonly<Record<string, unknown>>, cluster: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'one',
  });
}

describe('a kubeconfig', () => {
  test('gives certificates', async () => {
    const text = kubeconfig(
      { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
      { 'certificate-authority-data': base64('CA'), 'tls-server-name': 'inner' },
    );
    const connection = await fromKubeconfig({ text });
    assert.equal(connection.server, 'https://127.0.0.1:6443');
    assert.deepEqual(await tlsOf(connection), ['CA', 'CERT', 'KEY', 'inner', 'false']);
    assert.equal(await connection.authorization?.(false), undefined);
  });

  test('gives a token, a password, a proxy, and no check', async () => {
    const token = await fromKubeconfig({
      text: kubeconfig({ token: 't' }, { 'insecure-skip-tls-verify': true, 'proxy-url': 'http://proxy:3128' }),
    });
    assert.deepEqual(
      [await token.authorization?.(false), (await token.tls?.(false))?.insecure, token.proxyUrl],
      ['Bearer t', true, 'http://proxy:3128'],
    );
    const password = await fromKubeconfig({ text: kubeconfig({ username: 'u', password: 'p' }) });
    assert.equal(await password.authorization?.(false), `Basic ${base64('u:p')}`);
  });

  test('is read again with the files that it names; what has not changed is the same value', async () => {
    const path = join(folder, 'kubeconfig');
    const files = {
      ca: join(folder, 'kube-ca.crt'),
      cert: join(folder, 'client.crt'),
      key: join(folder, 'client.key'),
    };
    for (const [name, file] of Object.entries(files)) await writeFile(file, `${name} 1`);
    const user = { 'client-certificate': files.cert, 'client-key': files.key };
    await writeFile(path, kubeconfig(user, { 'certificate-authority': files.ca }));
    const connection = await fromKubeconfig({ path });
    const first = await connection.tls?.(false);
    assert.deepEqual(await tlsOf(connection), ['ca 1', 'cert 1', 'key 1', 'undefined', 'false']);
    assert.equal(await connection.tls?.(true), first);
    await writeFile(files.cert, 'cert 2');
    assert.equal(await connection.tls?.(false), first, 'it is not read for each request');
    assert.equal(String((await connection.tls?.(true))?.cert), 'cert 2');
    await writeFile(path, kubeconfig({ token: 'renewed' }));
    assert.equal(await connection.authorization?.(true), 'Bearer renewed');
    await writeFile(path, '{ half of a');
    assert.equal(await connection.authorization?.(true), 'Bearer renewed', 'what was good is used on');
  });

  test('runs the plugin of its user', async () => {
    const path = join(folder, 'plugin');
    const answer = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'from-plugin' },
    };
    await writeFile(path, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`, { mode: 0o700 });
    const connection = await fromKubeconfig({
      text: kubeconfig({ exec: { apiVersion: answer.apiVersion, command: path } }),
    });
    assert.equal(await connection.authorization?.(false), 'Bearer from-plugin');
  });

  test('and what its plugin answers are not repeated where they cannot be read', async () => {
    const path = join(folder, 'broken-plugin');
    await writeFile(path, "#!/bin/sh\necho 'c4n4ry'\n", { mode: 0o700 });
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: path };
    for (const text of ['users:\n- user: {token: c4n4ry\n', kubeconfig({ exec })]) {
      const fault = await fromKubeconfig({ text }).then(
        () => assert.fail('it was read'),
        (thrown: Error) => thrown,
      );
      assert.doesNotMatch(fault.message, /c4n4ry/);
      assert.match(fault.message, /cannot be (?:read|authenticated): ./);
    }
  });

  test('that is missing, broken or without the context is refused by name', async () => {
    await assert.rejects(fromKubeconfig({ path: join(folder, 'none') }), {
      code: 'cluster-refused',
      message: /none cannot be read/,
    });
    await assert.rejects(fromKubeconfig({ text: '{' }), { code: 'cluster-refused' });
    await assert.rejects(fromKubeconfig({ text: kubeconfig({}), context: 'two' }), {
      code: 'cluster-refused',
      message: /no context "two"/,
    });
    await assert.rejects(
      fromKubeconfig({
        text: kubeconfig({
          exec: { apiVersion: 'client.authentication.k8s.io/v1', command: join(folder, 'no-plugin') },
        }),
      }),
      { code: 'cluster-refused' },
    );
  });
});

test('where there is no kubeconfig at all, that is said, and no cluster is made up', async (t) => {
  const { HOME, KUBECONFIG } = process.env;
  t.after(() => {
    for (const [name, value] of Object.entries({ HOME, KUBECONFIG })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  delete process.env['KUBECONFIG'];
  process.env['HOME'] = folder;
  for (const choice of [{}, { context: 'one' }]) {
    await assert.rejects(fromKubeconfig(choice), {
      code: 'cluster-refused',
      message: /there is no kubeconfig: KUBECONFIG is not set/,
    });
  }
});

describe('a pod', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  test('uses its service account, once it is there, and reads its files again when they were refused', async () => {
    assert.ok(isInCluster(environment) && !isInCluster({}));
    const connection = fromServiceAccount(environment, folder);
    assert.equal(connection.server, 'https://[fd00::1]:443');
    await assert.rejects(connection.authorization?.(false) ?? assert.fail(), {
      code: 'cluster-refused',
      message: /(token|ca\.crt) cannot be read: .*automountServiceAccountToken/,
    });
    await writeFile(join(folder, 'token'), 'first\n');
    await writeFile(join(folder, 'ca.crt'), 'CA');
    await writeFile(join(folder, 'namespace'), 'argocd\n');
    assert.equal(await connection.authorization?.(false), 'Bearer first');
    assert.deepEqual(await tlsOf(connection), ['CA', 'undefined', 'undefined', 'undefined', 'undefined']);
    await writeFile(join(folder, 'token'), 'second');
    await writeFile(join(folder, 'ca.crt'), 'CA of tomorrow');
    assert.equal(await connection.authorization?.(false), 'Bearer first');
    assert.equal(await connection.authorization?.(true), 'Bearer second');
    assert.equal((await tlsOf(connection))[0], 'CA of tomorrow');
    await rm(join(folder, 'token'));
    assert.equal(await connection.authorization?.(true), 'Bearer second', 'what was good is used on');
    assert.equal(await serviceAccountNamespace(folder), 'argocd');
    assert.equal(await serviceAccountNamespace(join(folder, 'none')), undefined);
  });

  test('knows itself by its environment and by what its token is bound to', async () => {
    const claims = { 'kubernetes.io': { namespace: 'argocd', pod: { name: 'mooring-0', uid: 'u-0' } } };
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'argocd', name: 'mooring-0' };
    await writeFile(join(folder, 'token'), `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sign`);
    assert.deepEqual(await ownPod({}, folder), { ...pod, uid: 'u-0' });
    assert.deepEqual(await ownPod({ POD_NAME: 'mooring-0', POD_NAMESPACE: 'argocd' }, folder), { ...pod, uid: 'u-0' });
    assert.deepEqual(await ownPod({ POD_NAME: 'other', POD_NAMESPACE: 'argocd' }, folder), { ...pod, name: 'other' });
    await writeFile(join(folder, 'token'), 'of another form');
    assert.deepEqual(await ownPod({ POD_NAME: 'other', POD_NAMESPACE: 'argocd' }, folder), { ...pod, name: 'other' });
    assert.equal(await ownPod({}, folder), undefined);
    assert.equal(await ownPod({}, join(folder, 'none')), undefined);
  });
});
