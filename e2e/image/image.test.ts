import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildImage, type Image, imageFolder } from '@mooring/image/build.ts';
import { bundle } from '@mooring/image/bundle.ts';
import { type Cluster, startCluster } from '../cluster/cluster.ts';
import { makeKey, startSshd } from '../git/sshd.ts';
import { startGitServer } from '../git-server/git-server.ts';
import type { GitCheck, GitChecked } from './git-check.ts';

const root = join(import.meta.dirname, '..', '..');
const name = 'mooring.local/mooring';
const userId = 65_532;
const onProgress = (line: string): void => console.log(`# ${line}`);

describe('the image', () => {
  let home: string;
  let image: Image;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'mooring-image-'));
    image = await buildImage({ name, into: join(home, 'first'), onProgress });
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const blob = <T>(digest: string): T =>
    JSON.parse(readFileSync(join(home, 'first', 'oci', 'blobs', 'sha256', digest.replace('sha256:', '')), 'utf8')) as T;

  test('is small, says what it is, and runs as nobody', () => {
    const bytes = image.layers.reduce((sum, { size }) => sum + size, 0);
    assert.ok(bytes <= 120e6, `${bytes} bytes`);
    const manifest = blob<{ config: { digest: string }; annotations: Record<string, string> }>(image.digest);
    const { config } = blob<{ config: Record<string, unknown> }>(manifest.config.digest);
    assert.equal(config['User'], `${userId}:${userId}`);
    assert.deepEqual(Object.keys(config['ExposedPorts'] as object), ['8080/tcp']);
    assert.deepEqual(config['Labels'], manifest.annotations);
    const { version } = JSON.parse(readFileSync(join(root, 'operator', 'package.json'), 'utf8')) as { version: string };
    const revision = execFileSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
    assert.equal(manifest.annotations['org.opencontainers.image.version'], version);
    assert.equal(manifest.annotations['org.opencontainers.image.revision']?.replace(/-dirty$/, ''), revision);
    assert.equal(image.reference, `${name}:${version}`);
  });

  test('has files of which each blob is what its name says', () => {
    const blobs = join(home, 'first', 'oci', 'blobs', 'sha256');
    for (const sum of readdirSync(blobs)) {
      assert.equal(
        createHash('sha256')
          .update(readFileSync(join(blobs, sum)))
          .digest('hex'),
        sum,
      );
    }
  });

  test('holds its bill of materials, with git, Node, npm packages and Go modules', () => {
    const { path = '' } = image.layers.at(-1) ?? {};
    const inside = execFileSync('tar', ['-xOzf', path, 'app/sbom.cdx.json'], { encoding: 'utf8' });
    assert.equal(inside, readFileSync(image.bill, 'utf8'));
    const { components } = JSON.parse(inside) as { components: { purl?: string }[] };
    const purls = components.map(({ purl = '' }) => purl);
    for (const start of [
      'pkg:deb/debian/git@',
      'pkg:generic/node@',
      'pkg:npm/undici@',
      'pkg:golang/helm.sh/helm/v4@',
    ]) {
      assert.ok(
        purls.some((purl) => purl.startsWith(start)),
        start,
      );
    }
  });

  test('has the same digest where it is built again from nothing but what was fetched', async () => {
    const cache = join(home, 'cache');
    for (const fetched of ['node', join('debian', 'debs')]) {
      cpSync(join(imageFolder, 'cache', fetched), join(cache, fetched), { recursive: true });
    }
    const again = await buildImage({ name, into: join(home, 'second'), cache, onProgress });
    assert.equal(again.digest, image.digest);
    assert.ok(readFileSync(again.archive).equals(readFileSync(image.archive)));
  });

  describe('in a container that may write nothing but its volumes', () => {
    let cluster: Cluster;
    before(async () => {
      cluster = await startCluster({ name: `image-${process.pid}`, node: 'real', onProgress });
      await cluster.loadImage(image.archive);
    });
    after(() => cluster?.stop());

    /** Runs a pod to its end, and answers what it wrote. */
    const run = async (pod: string, container: object, folder?: string): Promise<string> => {
      await cluster.api.call('POST', '/api/v1/namespaces/default/pods', podOf(pod, image.reference, container, folder));
      const path = `/api/v1/namespaces/default/pods/${pod}`;
      const deadline = performance.now() + 120_000;
      for (;;) {
        const { status } = await cluster.api.call('GET', path);
        if (status.phase === 'Succeeded') return cluster.kubectl('logs', pod);
        const why = JSON.stringify(status.containerStatuses ?? status.conditions);
        if (status.phase === 'Failed') assert.fail(`${pod} failed: ${why}\n${await cluster.kubectl('logs', pod)}`);
        if (performance.now() > deadline) assert.fail(`${pod} is ${status.phase} after two minutes: ${why}`);
        await sleep(200);
      }
    };

    test('starts the operator with its arguments, by the entrypoint and by name', async () => {
      assert.match(await run('entrypoint', { args: ['--help'] }), /^ {2}mooring-operator \[options\]$/m);
      assert.match(await run('name', { command: ['mooring-operator', '--help'] }), /^ {2}--data PATH/m);
    });

    test('has git and ssh that reach repositories without a shell, and leaves no process behind', async (context) => {
      const folder = join(home, 'check');
      mkdirSync(folder);
      for (const [script, content] of (await bundle('e2e/image/git-check.ts')).scripts) {
        writeFileSync(join(folder, script), content);
      }
      writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
      const key = await makeKey(join(home, 'key'));
      const sshd = await startSshd([key.publicKey], onProgress);
      context.after(() => sshd.close());
      const server = await startGitServer();
      context.after(() => server.close());
      const sockets: Socket[] = [];
      const silent = createServer((socket) => sockets.push(socket));
      await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
      context.after(async () => {
        for (const socket of sockets) socket.destroy();
        await new Promise((done) => silent.close(done));
      });
      writeFileSync(join(folder, 'known_hosts'), `${sshd.knownHost}\n`);
      const repository = await server.createRepository('shop');
      const commit = await repository.commit({ files: { 'web.yaml': 'kind: Web\n' }, message: 'first' });
      cpSync(repository.path, join(folder, 'shop.git'), { recursive: true });
      giveTo(folder, userId);

      const ssh = `ssh://${sshd.user}@127.0.0.1`;
      const over = [
        { url: repository.url },
        { url: `${ssh}:${sshd.port}${repository.path}`, sshPrivateKey: key.privateKey },
        { url: 'file:///check/shop.git' },
      ];
      const check: GitCheck = {
        // By a short id git itself fetches, over HTTP too.
        reads: over.flatMap((access) =>
          ['main', commit.slice(0, 8)].map((revision) => ({ access, revision, path: 'web.yaml' })),
        ),
        silent: { url: `${ssh}:${(silent.address() as AddressInfo).port}/x`, sshPrivateKey: key.privateKey },
      };
      const command = ['/usr/bin/tini', '--', '/usr/bin/node', '/check/main.js', JSON.stringify(check)];
      const checked = JSON.parse(await run('git', { command }, folder)) as GitChecked;
      assert.deepEqual(checked, {
        hasShell: false,
        reads: check.reads.map(() => ({ commit, text: 'kind: Web\n' })),
        zombies: [],
      });
    });
  });
});

/** A pod under the rules of Pod Security `restricted`, but for the network and a folder of this machine. */
function podOf(name: string, image: string, container: object, folder: string | undefined): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      hostNetwork: folder !== undefined,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'mooring',
          image,
          imagePullPolicy: 'Never',
          ...container,
          securityContext: {
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          },
          volumeMounts: [
            { name: 'data', mountPath: '/data' },
            { name: 'tmp', mountPath: '/tmp' },
            ...(folder === undefined ? [] : [{ name: 'check', mountPath: '/check', readOnly: true }]),
          ],
        },
      ],
      volumes: [
        { name: 'data', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
        ...(folder === undefined ? [] : [{ name: 'check', hostPath: { path: folder, type: 'Directory' } }]),
      ],
    },
  };
}

function giveTo(folder: string, user: number): void {
  chownSync(folder, user, user);
  for (const entry of readdirSync(folder, { recursive: true })) chownSync(join(folder, String(entry)), user, user);
}
