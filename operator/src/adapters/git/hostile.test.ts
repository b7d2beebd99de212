import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { operatorLimits } from '../../model/limits.ts';
import { systemClock } from '../time/system.ts';
import { createGit, everyTransport, type OpenGit } from './git.ts';
import { everyHost } from './network.ts';
import { encodePackets } from './packet.ts';
import { bestVersion } from './version-range.ts';

const home = mkdtempSync(join(tmpdir(), 'mooring-hostile-'));
const servers: Server[] = [];
const opened: OpenGit[] = [];
after(async () => {
  for (const server of servers) server.close().closeAllConnections();
  for (const git of opened) await git.close();
  rmSync(home, { recursive: true, force: true });
});

const log = { debug() {}, info() {}, warn() {}, error() {} };

function open(directory: string = mkdtempSync(join(home, 'data-'))): OpenGit {
  const git = createGit({
    clock: systemClock,
    log,
    limits: operatorLimits,
    directory,
    ownDirectory: directory,
    transports: everyTransport,
    network: everyHost,
    onRequest: () => {},
  });
  opened.push(git);
  return git;
}

/** A server of protocol 2 that answers every command with these bytes, whatever it is asked. */
async function serve(answers: { readonly refs?: () => Iterable<Buffer>; readonly pack?: Buffer }): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/x-git-upload-pack-advertisement');
      response.end(encodePackets(['version 2', 'ls-refs', 'fetch=shallow', 'flush']));
    } else if (body.includes('command=ls-refs')) {
      for (const bytes of answers.refs?.() ?? [encodePackets([`${'a'.repeat(40)} refs/heads/main`])])
        if (!response.write(bytes))
          await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
      response.end('0000');
    } else {
      const packet = (bytes: Buffer): Buffer =>
        Buffer.concat([Buffer.from((bytes.length + 5).toString(16).padStart(4, '0')), Buffer.from([1]), bytes]);
      response.write(encodePackets(['packfile']));
      for (let at = 0; at < (answers.pack?.length ?? 0); at += 60_000)
        response.write(packet(answers.pack?.subarray(at, at + 60_000) ?? Buffer.alloc(0)));
      response.end('0000');
    }
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bomb.git`;
}

/** An object's header in a pack: its type, and its length in bytes (gitformat-pack). */
function entry(type: number, length: number): Buffer {
  const bytes: number[] = [];
  let rest = Math.floor(length / 16);
  bytes.push((type << 4) | (length % 16) | (rest > 0 ? 0x80 : 0));
  while (rest > 0) {
    const next = Math.floor(rest / 128);
    bytes.push((rest % 128) | (next > 0 ? 0x80 : 0));
    rest = next;
  }
  return Buffer.from(bytes);
}

function size(length: number): number[] {
  const bytes: number[] = [];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 0x80);
  }
}

/** A pack of a few kilobytes: a file of zeros, and a delta that copies it `times` times. */
function bomb(times: number): Buffer {
  const baseBytes = 8 * 1024 * 1024;
  const copy = [0x80 | 0x40, 0x80];
  const delta = Buffer.from([...size(baseBytes), ...size(baseBytes * times), ...Array(times).fill(copy).flat()]);
  const base = Buffer.concat([entry(3, baseBytes), deflateSync(Buffer.alloc(baseBytes))]);
  const distance = base.length;
  const offset = [distance & 0x7f];
  for (let rest = distance >> 7; rest > 0; rest >>= 7) {
    rest -= 1;
    offset.unshift(0x80 | (rest & 0x7f));
  }
  const header = Buffer.from([...Buffer.from('PACK'), 0, 0, 0, 2, 0, 0, 0, 2]);
  const pack = Buffer.concat([header, base, entry(6, delta.length), Buffer.from(offset), deflateSync(delta)]);
  return Buffer.concat([pack, createHash('sha1').update(pack).digest()]);
}

test('a delta of a few kilobytes that stands for 400 MB is not unpacked', async () => {
  const pack = bomb(50);
  assert.ok(pack.length < 64 * 1024, `${pack.length} bytes`);
  const git = open();
  const revision = { commit: 'a'.repeat(40) };
  await assert.rejects(git.open({ url: await serve({ pack }) }, revision), {
    code: 'limit-reached',
    message:
      /an object of it takes 419430401 bytes of memory when it is unpacked; at most 134217728 are taken: .*Git LFS/,
  });
});

test('a delta that stands for what is taken is unpacked', async () => {
  const git = open();
  const revision = { commit: 'a'.repeat(40) };
  // The commit itself is not in this pack.
  await assert.rejects(git.open({ url: await serve({ pack: bomb(8) }) }, revision), {
    code: 'repository-unreachable',
  });
});

test('a listing of refs has a bound of bytes and one of refs, and leaves other work its turn', async () => {
  const git = open();
  function* many(count: number, length: number): Generator<Buffer> {
    for (let first = 0; first < count; first += 1_000) {
      const names = Array.from(
        { length: 1_000 },
        (_, index) => `${'a'.repeat(40)} refs/heads/${String(first + index).padStart(length, '0')}`,
      );
      yield encodePackets(names);
    }
  }
  let longestMs = 0;
  let turnAt = process.threadCpuUsage().user;
  const turn = setInterval(() => {
    const now = process.threadCpuUsage().user;
    longestMs = Math.max(longestMs, (now - turnAt) / 1_000);
    turnAt = now;
  }, 1);
  const bytes = await serve({ refs: () => many(60_000, 1_000) });
  await assert.rejects(git.resolve({ url: bytes }, 'main', 0), {
    code: 'limit-reached',
    message: /more than 16777216 bytes/,
  });
  const refs = await serve({ refs: () => many(201_000, 6) });
  await assert.rejects(git.resolve({ url: refs }, 'main', 0), {
    code: 'limit-reached',
    message: /it has more than 200000 branches and tags; delete some/,
  });
  clearInterval(turn);
  assert.ok(longestMs < 150, `${Math.round(longestMs)} ms without a turn`);
});

test('of 200,000 tags a range is picked in less than 200 ms of the processor', () => {
  const tags = Array.from({ length: 200_000 }, (_, index) => `v${index % 100}.${index % 1_000}.${index}`);
  bestVersion(tags.slice(0, 1_000), '>=1.0.0');
  const before = process.threadCpuUsage().user;
  assert.ok(bestVersion(tags, '1.x') !== undefined);
  const ms = (process.threadCpuUsage().user - before) / 1_000;
  assert.ok(ms < 200, `${Math.round(ms)} ms`);
});

test('the beginning of an id is looked for within the same bytes as a whole one', async () => {
  const origin = join(home, 'history');
  const run = (...args: string[]): string =>
    execFileSync('git', ['-C', origin, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { encoding: 'utf8' });
  execFileSync('git', ['init', '--quiet', '--bare', origin]);
  const tree = execFileSync('git', ['-C', origin, 'mktree'], { input: '', encoding: 'utf8' }).trim();
  let parent = '';
  let first = '';
  // Messages that do not compress: the history alone is larger than the bound.
  for (let count = 0; count < 12; count += 1) {
    writeFileSync(join(home, 'message'), randomBytes(400_000).toString('base64'));
    const parents = parent === '' ? [] : ['-p', parent];
    parent = run('commit-tree', tree, ...parents, '-F', join(home, 'message')).trim();
    if (first === '') first = parent;
  }
  run('update-ref', 'refs/heads/main', parent);
  const directory = mkdtempSync(join(home, 'data-'));
  const git = createGit({
    clock: systemClock,
    log,
    limits: { ...operatorLimits, packBytes: 2 * 1024 * 1024 },
    directory,
    ownDirectory: directory,
    transports: everyTransport,
    network: everyHost,
    onRequest: () => {},
  });
  opened.push(git);
  await assert.rejects(git.resolve({ url: `file://${origin}` }, first.slice(0, 10), 0), {
    code: 'limit-reached',
    message: /more than 2097152 bytes/,
  });
});

test('a full disk is told, and once there is room again all is well', async () => {
  const origin = join(home, 'origin');
  const run = (...args: string[]): string =>
    execFileSync('git', ['-C', origin, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], { encoding: 'utf8' });
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', origin]);
  writeFileSync(join(origin, 'large'), randomBytes(6 * 1024 * 1024));
  run('add', '.');
  run('commit', '--quiet', '-m', 'large');
  const url = `file://${origin}`;
  const disk = mkdtempSync(join(home, 'disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'mooring-test', disk]);
  try {
    const git = open(disk);
    const commit = await git.resolve({ url }, 'main', 0);
    await assert.rejects(git.open({ url }, commit), { code: 'limit-reached', message: /no disk space is left/ });
    execFileSync('mount', ['-o', 'remount,size=64m', disk]);
    // A failure is the answer for everyone for a moment.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const tree = await git.open({ url }, commit);
    assert.equal(tree.commit, commit.commit);
    await git.close();
  } finally {
    execFileSync('umount', ['--lazy', disk]);
  }
});
