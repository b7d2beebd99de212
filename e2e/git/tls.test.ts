import assert from 'node:assert/strict';
import { mkdtemp, readFile as readText, rm } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, rootCertificates, type Server } from 'node:tls';
import type { RepositoryAccess } from '@mooring/operator/world/git.ts';
import type { GitRepository } from '../git-server/git-repository.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { selfSigned } from '../harness/certificate.ts';
import { faultOf, type GitClient, openGit, readFile } from './client.ts';

const password = 'a-password';
const sockets = new Set<Socket>();
const clients: GitClient[] = [];
let home: string;
let server: GitServer;
let front: Server;
let repository: GitRepository;
let commit: string;
let access: RepositoryAccess;
let certificate: string;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'mooring-tls-'));
  const self = await selfSigned(home);
  server = await startGitServer({ users: { ada: password } });
  repository = await server.createRepository('team/shop');
  commit = await repository.commit({ files: { 'app/web.yaml': 'kind: Web\n' }, message: 'first' });
  certificate = await readText(self.certificate, 'utf8');
  front = await startFront(await readText(self.key, 'utf8'), certificate, Number(new URL(server.url).port));
  const { port } = front.address() as AddressInfo;
  access = { url: `https://127.0.0.1:${port}/team/shop.git`, username: 'ada', password };
});

after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  for (const socket of sockets) socket.destroy();
  if (front !== undefined) await new Promise((done) => front.close(done));
  await server?.close();
  await rm(home, { recursive: true, force: true });
});

/** Ends TLS on 127.0.0.1 and passes what comes on to a port there. */
async function startFront(key: string, cert: string, port: number): Promise<Server> {
  const made = createServer({ key, cert }, (secure) => {
    const plain = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [secure, plain],
      [plain, secure],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  return made;
}

async function newClient(environment?: NodeJS.ProcessEnv): Promise<GitClient> {
  const directory = await mkdtemp(join(home, 'git-'));
  const git = openGit({ directory, ...(environment === undefined ? {} : { environment }) });
  clients.push(git);
  return git;
}

test('a certificate that nobody vouches for is refused with what to do', async () => {
  const git = await newClient();
  const requests = [git.resolve(access, 'main', Date.now()), git.open(access, { commit })];
  for (const request of requests) {
    const fault = await faultOf('repository-unreachable', request);
    assert.match(fault.message, /its certificate cannot be verified \(.*self-signed certificate.*\)/);
    assert.match(
      fault.message,
      /put its authority into argocd-tls-certs-cm .*, or set insecure in the repository Secret/,
    );
    assert.ok(!JSON.stringify([fault, fault.message, ...git.lines]).includes(password));
  }
});

test('with insecure it is taken, by our own requests and by those of git', async () => {
  const git = await newClient();
  const open = { ...access, insecure: true };
  assert.deepEqual(await readFile(git, open, 'main', 'app/web.yaml'), { commit, text: 'kind: Web\n' });
  assert.equal((await git.resolve(open, commit.slice(0, 8), Date.now())).commit, commit);
  // What holds for one set of credentials holds for no other.
  await faultOf('repository-unreachable', git.resolve(access, 'main', Date.now()));
});

test('with its authority in the access it is taken, and no other authority counts then', async () => {
  const git = await newClient();
  const trusting = { ...access, ca: certificate };
  assert.deepEqual(await readFile(git, trusting, 'main', 'app/web.yaml'), { commit, text: 'kind: Web\n' });
  // A part of an id is looked up in a history that git itself fetches.
  assert.equal((await git.resolve(trusting, commit.slice(0, 8), Date.now())).commit, commit);
  await faultOf('repository-unreachable', git.resolve(access, 'main', Date.now()));
  const [other = ''] = rootCertificates;
  await faultOf('repository-unreachable', git.resolve({ ...access, ca: other }, 'main', Date.now()));
});
