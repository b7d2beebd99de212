import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createOperator } from './operator.ts';

/** A cluster that nobody reaches: what is served before there is one is all that is asked for here. */
const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{ name: none, cluster: { server: 'https://127.0.0.1:1' } }]
users: [{ name: none, user: {} }]
contexts: [{ name: none, context: { cluster: none, user: none } }]
current-context: none
`;

test('probes are answered on both ports, and metrics only on their own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-ports-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'kubeconfig');
  await writeFile(path, kubeconfig);
  const anywhere = { host: '127.0.0.1', port: 0 };
  const operator = await createOperator({
    kubeconfig: path,
    dataDirectory: folder,
    logLevel: 'error',
    probes: anywhere,
    metricsHttp: anywhere,
  });
  t.after(() => operator.stop());
  const ask = async (port: number | undefined, address: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${address}`)).status;
  const { port, probePort, metricsPort } = operator;
  assert.equal(new Set([port, probePort, metricsPort]).size, 3);
  for (const each of [port, probePort]) {
    assert.equal(await ask(each, '/livez'), 200);
    assert.equal(await ask(each, '/readyz'), 503);
    assert.equal(await ask(each, '/metrics'), 404);
  }
  assert.equal(await ask(metricsPort, '/metrics'), 200);
  assert.equal(await ask(metricsPort, '/livez'), 404);
});
