import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { everyHost, type Network } from '@mooring/operator/adapters/git/network.ts';
import type { RepositoryAccess } from '@mooring/operator/world/git.ts';
import { type GitRepository, openRepository } from '../git-server/git-repository.ts';
import { faultOf, type GitClient, openGit, readFile } from './client.ts';
import { type KeyPair, makeKey, type Sshd, startSshd } from './sshd.ts';

let home: string;
let sshd: Sshd;
let repository: GitRepository;
let commit: string;
let right: KeyPair;
let rsa: KeyPair;
let wrong: KeyPair;
let locked: KeyPair;
let knownHosts: string;
const clients: GitClient[] = [];

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'mooring-ssh-'));
  right = await makeKey(join(home, 'right'));
  rsa = await makeKey(join(home, 'rsa'), '-t', 'rsa', '-b', '2048', '-m', 'PEM');
  wrong = await makeKey(join(home, 'wrong'));
  locked = await makeKey(join(home, 'locked'), '-N', 'a passphrase');
  sshd = await startSshd([right.publicKey, rsa.publicKey, locked.publicKey], console.log);
  const path = join(home, 'team', 'shop.git');
  await mkdir(join(home, 'team'));
  repository = await openRepository({ name: 'team/shop', url: `ssh://127.0.0.1${path}`, path });
  commit = await repository.commit({ files: { 'app/web.yaml': 'kind: Web\n' }, message: 'first' });
  await repository.tag('v1.2.3', { message: 'release' });
  // Characters that ssh's own settings give a meaning to.
  knownHosts = join(await folder('known hosts 100%h'), 'known_hosts');
  await writeFile(knownHosts, `${sshd.knownHost}\n`);
});

after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await sshd?.close();
  await rm(home, { recursive: true, force: true });
});

async function folder(name: string): Promise<string> {
  return mkdtemp(join(home, `${name}-`));
}

type Client = GitClient & { readonly directory: string };

async function newClient(options: Omit<Parameters<typeof openGit>[0], 'directory'> = {}): Promise<Client> {
  const directory = await folder('git 100%h');
  const git = openGit({ directory, knownHosts, ...options });
  clients.push(git);
  return { ...git, directory };
}

function sshUrl(path = repository.path, port = sshd.port): string {
  return `ssh://${sshd.user}@127.0.0.1:${port}${path}`;
}

async function newFile(name: string, content: string): Promise<string> {
  const path = join(await folder('files'), name);
  await writeFile(path, content);
  return path;
}

/** Fails where anything that a fault or the log holds has a line of a private key in it. */
function leaksNothing(error: Error, git: GitClient, key: KeyPair): void {
  const said = [inspect(error, { depth: 10 }), JSON.stringify(error), ...git.lines].join('\n');
  for (const line of key.privateKey.split('\n').slice(1, -2)) assert.ok(!said.includes(line), 'a key is leaked');
}

test('a key that the server knows: branches, versions and short ids are resolved, trees opened, files read', async () => {
  const git = await newClient();
  const access = { url: sshUrl(), sshPrivateKey: right.privateKey };
  assert.deepEqual(await readFile(git, access, 'main', 'app/web.yaml'), { commit, text: 'kind: Web\n' });
  for (const revision of ['HEAD', 'v1.2.3', '1.x', commit.slice(0, 8)]) {
    assert.equal((await git.resolve(access, revision, Date.now())).commit, commit, revision);
  }
  assert.equal((await git.describe(access, { commit })).message, 'first');
  const next = await repository.commit({ files: { 'app/web.yaml': 'kind: Shop\n' }, message: 'second' });
  assert.deepEqual(await readFile(git, access, 'main', 'app/web.yaml'), { commit: next, text: 'kind: Shop\n' });
  assert.match(sshd.log(), new RegExp(`Accepted publickey for ${sshd.user} from 127\\.0\\.0\\.1`));
});

test('keys as PEM, without the last line end, and with the line ends of Windows', async () => {
  const { privateKey } = right;
  for (const sshPrivateKey of [rsa.privateKey, privateKey.trimEnd(), privateKey.replaceAll('\n', '\r\n')]) {
    const git = await newClient();
    await git.resolve({ url: sshUrl(), sshPrivateKey }, 'main', Date.now());
  }
});

test('a key that the server does not know is refused; what others fetched stays hidden from it', async () => {
  const git = await newClient();
  const access = { url: sshUrl(), sshPrivateKey: wrong.privateKey };
  await readFile(git, { ...access, sshPrivateKey: right.privateKey }, commit, 'app/web.yaml');
  for (const request of [git.resolve(access, 'main', Date.now()), git.open(access, { commit })]) {
    const fault = await faultOf('repository-refused', request);
    assert.match(fault.message, /refused access: .* sshPrivateKey in the repository Secret .*Permission denied/);
    assert.ok(fault.message.includes(access.url));
    leaksNothing(fault, git, wrong);
  }
});

test('a key that cannot be used is refused with what to do', async () => {
  const broken = right.privateKey.split('\n').toSpliced(2, 1).join('\n');
  const unreadable = /sshPrivateKey in the repository Secret .* cannot be read; .*without a passphrase/;
  const cases: [string, RegExp][] = [
    ['not a key', unreadable],
    [right.publicKey, unreadable],
    [broken, unreadable],
    [locked.privateKey, /sshPrivateKey in the repository Secret .*, which must have no passphrase/],
  ];
  for (const [sshPrivateKey, message] of cases) {
    const git = await newClient();
    const fault = await faultOf(
      'repository-refused',
      git.resolve({ url: sshUrl(), sshPrivateKey }, 'main', Date.now()),
    );
    assert.match(fault.message, message);
    leaksNothing(fault, git, right);
    leaksNothing(fault, git, locked);
  }
});

test('a server whose host key is not known is refused, unless the check is switched off', async () => {
  const git = await newClient({ knownHosts: await newFile('known_hosts', '') });
  const access = { url: sshUrl(), sshPrivateKey: right.privateKey };
  const fault = await faultOf('repository-refused', git.resolve(access, 'main', Date.now()));
  assert.match(
    fault.message,
    /the host key is not known; add it to the known hosts \(argocd-ssh-known-hosts-cm\), or set insecure/,
  );
  leaksNothing(fault, git, right);
  const { commit: found } = await git.resolve({ ...access, insecure: true }, 'main', Date.now());
  assert.equal(found, await repository.resolve('main'));
  // What was let in unchecked is not known from then on.
  await faultOf('repository-refused', git.resolve(access, 'main', Date.now()));
});

test('host keys that come with the access count, and none but those', async () => {
  const git = await newClient({ knownHosts: await newFile('known_hosts', '') });
  const access = { url: sshUrl(), sshPrivateKey: right.privateKey };
  const { commit: found } = await git.resolve({ ...access, knownHosts: sshd.knownHost }, 'main', Date.now());
  assert.equal(found, await repository.resolve('main'));
  const [host = ''] = sshd.knownHost.split(' ');
  const client = await newClient();
  const other = client.resolve({ ...access, knownHosts: `${host} ${wrong.publicKey}` }, 'main', Date.now());
  assert.match((await faultOf('repository-refused', other)).message, /not the one in the known hosts/);
});

test('a server with another host key than the known one is refused as such', async () => {
  const [host = ''] = sshd.knownHost.split(' ');
  const git = await newClient({ knownHosts: await newFile('known_hosts', `${host} ${wrong.publicKey}\n`) });
  const access = { url: sshUrl(), sshPrivateKey: right.privateKey };
  const fault = await faultOf('repository-refused', git.resolve(access, 'main', Date.now()));
  assert.match(fault.message, /the host key is not the one in the known hosts/);
});

test('user@host:path, absolute and from the home folder', async (context) => {
  // This form has no port: ssh itself runs, told of the port as the user's own settings would.
  const programs = await folder('bin');
  const ssh = join(programs, 'ssh');
  await writeFile(ssh, `#!/bin/sh\nPATH=\${PATH#*:}\nexec ssh -p ${sshd.port} "$@"\n`);
  await chmod(ssh, 0o755);
  const git = await newClient({ environment: { ...process.env, PATH: `${programs}:${process.env['PATH']}` } });
  const fromHome = `.mooring-${basename(home)}`;
  await symlink(repository.path, join(homedir(), fromHome));
  context.after(() => rm(join(homedir(), fromHome)));
  for (const path of [repository.path, fromHome, `~/${fromHome}`]) {
    const access = { url: `${sshd.user}@127.0.0.1:${path}`, sshPrivateKey: right.privateKey };
    assert.equal((await readFile(git, access, commit, 'app/web.yaml')).text, 'kind: Web\n', path);
    assert.equal((await git.resolve(access, 'v1.2.3', Date.now())).commit, commit, path);
  }
});

test('a name is connected to where it was looked up, and its key is known by the name', async () => {
  // Nobody else knows this name.
  const name = 'git.example.com';
  const network: Network = { ...everyHost, pin: async () => '127.0.0.1' };
  const access = {
    url: `ssh://${sshd.user}@${name}:${sshd.port}${repository.path}`,
    sshPrivateKey: right.privateKey,
  };
  const [, key] = /^\S+ (.*)$/.exec(sshd.knownHost) ?? [];
  const named = await newFile('known_hosts', `[${name}]:${sshd.port} ${key}\n`);
  const git = await newClient({ network, knownHosts: named });
  assert.equal((await git.resolve(access, 'v1.2.3', Date.now())).commit, commit);
  const other = await newClient({ network });
  assert.match(
    (await faultOf('repository-refused', other.resolve(access, 'main', Date.now()))).message,
    /host key is not known/,
  );
});

test('a path with characters that mean something to a shell, to git and in a URL', async () => {
  const git = await newClient();
  const odd = join(await folder('odd'), "it's 100%41 $(touch x)");
  await symlink(repository.path, odd);
  const access = { url: sshUrl(encodeURI(odd)), sshPrivateKey: right.privateKey };
  assert.equal((await git.resolve(access, 'v1.2.3', Date.now())).commit, commit);
  assert.equal((await readFile(git, access, commit, 'app/web.yaml')).text, 'kind: Web\n');
});

test('a repository that is not there, a user that is not let in, a server that is not there', async () => {
  const git = await newClient();
  const resolve = (url: string): Promise<unknown> =>
    git.resolve({ url, sshPrivateKey: right.privateKey }, 'main', Date.now());
  const none = await faultOf('repository-refused', resolve(sshUrl(`${home}/none.git`)));
  assert.match(none.message, /repository not found: .*: check repoURL/);
  const user = await faultOf('repository-refused', resolve(sshUrl().replace(`//${sshd.user}@`, '//nobody-here@')));
  assert.match(user.message, /check the user in repoURL/);
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const gone = await faultOf('repository-unreachable', resolve(sshUrl(repository.path, port)));
  assert.match(gone.message, /Connection refused/);
});

test('without the program ssh a fault says so', async () => {
  const programs = await folder('bin');
  const { stdout: program } = await promisify(execFile)('sh', ['-c', 'command -v git']);
  await symlink(program.trim(), join(programs, 'git'));
  const git = await newClient({ environment: { PATH: programs } });
  const fault = await faultOf('repository-unreachable', git.resolve({ url: sshUrl() }, 'main', Date.now()));
  assert.match(fault.message, /the program ssh is missing; install/);
});

test('no key file is left: not after a request, not after a client is closed in the middle of one', async (context) => {
  const sockets: Socket[] = [];
  // Accepts connections and never says a word.
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => silent.close(done));
  });
  const git = await newClient();
  const keys = join(git.directory, 'keys');
  const access: RepositoryAccess = { url: sshUrl(), sshPrivateKey: right.privateKey };
  await readFile(git, access, commit, 'app/web.yaml');
  assert.deepEqual(await readdir(keys), []);
  const { port } = silent.address() as AddressInfo;
  const waiting = faultOf('repository-unreachable', git.resolve({ ...access, url: sshUrl('/x', port) }, 'main', 0));
  while (sockets.length === 0) await sleep(10);
  assert.equal((await readdir(keys)).length, 1);
  await git.close();
  await assert.rejects(readdir(keys), { code: 'ENOENT' });
  leaksNothing(await waiting, git, right);
  await assert.rejects(readdir(keys), { code: 'ENOENT' });
});
