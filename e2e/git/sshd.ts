import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../cluster/control-plane.ts';

const run = promisify(execFile);
const startWithinMs = 10_000;
const maxLogChars = 64 * 1024;

/** A pair of keys, as ssh-keygen writes them. */
export interface KeyPair {
  /** Text of the private key. */
  readonly privateKey: string;
  /** The line of the public key, without a comment. */
  readonly publicKey: string;
}

/** A running sshd that lets in the one user it runs as, with the keys it was given. */
export interface Sshd {
  readonly port: number;
  /** The name to log in with. */
  readonly user: string;
  /** The line of a known-hosts file that names this server's key. */
  readonly knownHost: string;
  /** What sshd wrote to its log, its end. */
  log(): string;
  /** Ends sshd by its process id and removes its folder. */
  close(): Promise<void>;
}

/** Makes a pair of keys at `path`, which must not be there. Throws what ssh-keygen says. */
export async function makeKey(path: string, ...options: string[]): Promise<KeyPair> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', ...options, '-f', path]);
  const publicKey = (await readFile(`${path}.pub`, 'utf8')).trim();
  return { privateKey: await readFile(path, 'utf8'), publicKey };
}

/**
 * Starts OpenSSH's server on 127.0.0.1 with a host key, settings and authorized keys of its own; nothing of the machine's is read.
 * Installs it where it is missing and that can be done. Throws with sshd's log where it does not start within 10 s.
 */
export async function startSshd(authorized: readonly string[], onProgress: (line: string) => void): Promise<Sshd> {
  const program = await findSshd(onProgress);
  // sshd asks for it where root starts it, whatever its settings are.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const dir = await mkdtemp(join(tmpdir(), 'mooring-sshd-'));
  const user = userInfo().username;
  const port = await freePort();
  let child: ChildProcess | undefined;
  let log = '';
  const close = async (): Promise<void> => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const host = await makeKey(join(dir, 'host-key'));
    await writeFile(join(dir, 'authorized-keys'), authorized.map((key) => `restrict ${key}\n`).join(''));
    await chmod(join(dir, 'authorized-keys'), 0o600);
    await writeFile(join(dir, 'config'), settings(dir, port, user));
    const started = spawn(program, ['-D', '-e', '-f', join(dir, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new Error(`sshd ${why}: ${log.trim() || '(no message)'}`));
      };
      const timer = setTimeout(() => fail(`did not listen within ${startWithinMs} ms`), startWithinMs);
      started.stderr.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString('utf8')).slice(-maxLogChars);
        if (log.includes(`Server listening on 127.0.0.1 port ${port}`)) {
          clearTimeout(timer);
          resolve();
        }
      });
      started.once('error', (error) => fail(`cannot be started (${error.message})`));
      started.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
    });
    return { port, user, knownHost: `[127.0.0.1]:${port} ${host.publicKey}`, log: () => log, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function settings(dir: string, port: number, user: string): string {
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey "${join(dir, 'host-key')}"`,
    `AuthorizedKeysFile "${join(dir, 'authorized-keys')}"`,
    `PidFile "${join(dir, 'pid')}"`,
    `AllowUsers ${user}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    // The temporary folder above is everybody's to write to.
    'StrictModes no',
    'AcceptEnv GIT_PROTOCOL',
    'LogLevel VERBOSE',
  ];
  return `${lines.join('\n')}\n`;
}

async function findSshd(onProgress: (line: string) => void): Promise<string> {
  const present = sshdPath();
  if (present !== undefined) return present;
  const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
  if (!asRoot || !existsSync('/usr/bin/apt-get')) {
    throw new Error("Git over ssh is tested with OpenSSH's server: install sshd (Debian: openssh-server)");
  }
  onProgress('installing openssh-server: sshd missing');
  await withoutStartingServices(async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const wait = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
    await run('apt-get', ['update', ...wait], { env });
    await run('apt-get', ['install', '-y', '--no-install-recommends', ...wait, 'openssh-server'], { env });
  });
  const installed = sshdPath();
  if (installed === undefined) throw new Error('after installing openssh-server sshd is still missing');
  return installed;
}

/** sshd starts itself anew for each connection, and so must be named by its whole path. */
function sshdPath(): string | undefined {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return dirs.map((dir) => join(dir, 'sshd')).find((path) => path.startsWith('/') && existsSync(path));
}

/** Keeps Debian from starting what is installed: a server of the machine, on all its addresses (Debian Policy 9.3.3.1, policy-rc.d). */
async function withoutStartingServices(install: () => Promise<void>): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  try {
    await install();
  } finally {
    await rm(policy, { force: true });
  }
}
