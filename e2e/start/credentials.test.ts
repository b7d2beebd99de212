import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type ApiServer, apiServerOf } from '../harness/api-server.ts';
import { applicationsPath, installMooring } from '../harness/applications.ts';
import { connectKube } from '../harness/kube.ts';
import { type Bare, startBare, until, writeKubeconfig } from './fixture.ts';

let bare: Bare;
let apiServer: ApiServer;

before(async () => {
  bare = await startBare('e2e-credentials');
  apiServer = await apiServerOf(bare.cluster);
  await installMooring(bare.kube);
});
after(async () => {
  await bare?.close();
  apiServer?.close();
});

test('with an authority and a client certificate that were replaced in their files it goes on without a restart', async () => {
  const files = {
    ca: join(bare.folder, 'ca.crt'),
    cert: join(bare.folder, 'client.crt'),
    key: join(bare.folder, 'client.key'),
  };
  const { ca, cert, key } = bare.cluster;
  for (const [file, text] of [
    [files.ca, ca],
    [files.cert, cert],
    [files.key, key],
  ] as const)
    await writeFile(file, text);
  const user = { 'client-certificate': files.cert, 'client-key': files.key };
  const kubeconfigPath = await writeKubeconfig(bare, 'by-files', user, { 'certificate-authority': files.ca });
  const operator = await bare.operate(kubeconfigPath);
  await operator.says(200, /^ok\n$/);
  await bare.application('before');
  await bare.settles('before');

  const pki = join(bare.folder, 'pki');
  await mkdir(pki);
  await promisify(execFile)(apiServer.program, ['certs', '--dir', pki, '--node', 'localhost']);
  await apiServer.stop();
  await apiServer.start({
    'client-ca-file': join(pki, 'ca.crt'),
    'tls-cert-file': join(pki, 'apiserver.crt'),
    'tls-private-key-file': join(pki, 'apiserver.key'),
  });
  // Ready or not: that depends on how long all this takes.
  await operator.says(undefined, /^api-server: .* cannot be reached: .*certificate/m);
  for (const [file, name] of [
    [files.ca, 'ca.crt'],
    [files.cert, 'admin.crt'],
    [files.key, 'admin.key'],
  ] as const)
    await writeFile(file, await readFile(join(pki, name)));
  await operator.says(200, /^ok\n$/);
  const kube = await connectKube(kubeconfigPath);
  try {
    const refresh = { metadata: { annotations: { 'argocd.argoproj.io/refresh': 'hard' } } };
    await kube.merge(`${applicationsPath}/before`, refresh);
    await until('it is refreshed', async () => {
      const { metadata, status } = await kube.get(`${applicationsPath}/before`);
      return metadata['annotations'] === undefined && status.sync.status === 'Synced';
    });
  } finally {
    await kube.close();
  }
  assert.ok(operator.isRunning());
});
