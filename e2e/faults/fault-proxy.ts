import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { Endpoint } from '../cluster/cluster.ts';

/** A request that changes something, as the API server or the proxy answered it. */
export interface ProxiedWrite {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/**
 * What becomes of one write. `lose-before` and `lose-after` break the connection, before the API server is asked or once it has stored; `answer` is sent
 * instead of the API server's, which is asked first where `stored` says so; `cut` sends half of the answer and then breaks the connection (`reset`) or ends
 * in good order (`truncate`).
 */
export type Fate =
  | { readonly do: 'pass' }
  | { readonly do: 'lose-before' }
  | { readonly do: 'lose-after' }
  | {
      readonly do: 'answer';
      readonly stored: boolean;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly do: 'cut'; readonly how: 'reset' | 'truncate' };

/** An HTTP server on loopback before an API server, with the rights of its administrator. */
export interface FaultProxy {
  readonly server: string;
  /** While down, every request is answered so, and what was open is broken: a load balancer with nothing behind it. undefined ends it. */
  down(status: number | undefined): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy that asks `decide` about every write before the API server sees it, and tells `stored` what it answered. Everything else, watches among it,
 * passes through as it comes.
 */
export async function startFaultProxy(
  endpoint: Endpoint,
  decide: (write: ProxiedWrite) => Fate | Promise<Fate> = () => ({ do: 'pass' }),
  stored: (write: ProxiedWrite, status: number) => void | Promise<void> = () => {},
): Promise<FaultProxy> {
  const { ca, cert, key } = endpoint;
  const agent = new TlsAgent({ keepAlive: true, ca, cert, key });
  const target = new URL(endpoint.server);

  const forward = (asked: IncomingMessage, body: Buffer | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { ...asked.headers };
      delete headers['host'];
      delete headers['connection'];
      const sent = tlsRequest(new URL(asked.url ?? '/', target), { method: asked.method, headers, agent }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });

  let downStatus: number | undefined;
  const handle = async (asked: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await readAll(asked);
    if (downStatus !== undefined) {
      answer.writeHead(downStatus, { 'content-type': 'text/html' }).end('<html><body>no backend</body></html>');
      return;
    }
    if (asked.method === 'GET') {
      const got = await forward(asked, undefined);
      answer.writeHead(got.statusCode ?? 502, got.headers);
      // A watch is accepted before there is anything to tell.
      answer.flushHeaders();
      // And it has no end of its own: whichever side goes takes the other one along.
      answer.on('close', () => got.destroy());
      got.on('close', () => answer.destroy());
      got.pipe(answer);
      return;
    }
    const write = { method: asked.method ?? '', path: asked.url ?? '', body: body.toString('utf8') };
    const fate = await decide(write);
    if (fate.do === 'lose-before') return void asked.socket.destroy();
    if (fate.do === 'answer' && !fate.stored) {
      answer.writeHead(fate.status, fate.headers).end(fate.body);
      return;
    }
    const got = await forward(asked, body);
    const content = await readAll(got);
    await stored(write, got.statusCode ?? 0);
    if (fate.do === 'lose-after') return void asked.socket.destroy();
    if (fate.do === 'answer') {
      answer.writeHead(fate.status, fate.headers).end(fate.body);
      return;
    }
    if (fate.do === 'pass') {
      answer.writeHead(got.statusCode ?? 502, got.headers).end(content);
      return;
    }
    const half = content.subarray(0, Math.floor(content.length / 2));
    const length = fate.how === 'reset' ? content.length : half.length;
    const { 'transfer-encoding': _, ...headers } = got.headers;
    answer.writeHead(got.statusCode ?? 502, { ...headers, 'content-length': String(length) });
    answer.write(half, () => {
      if (fate.how === 'reset') asked.socket.resetAndDestroy();
      else answer.end();
    });
  };

  const proxy = createServer((asked, answer) => {
    // A connection that breaks is what is wanted here.
    handle(asked, answer).catch(() => asked.socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    server: `http://127.0.0.1:${address.port}`,
    down: (status) => {
      downStatus = status;
      if (status !== undefined) proxy.closeAllConnections();
    },
    close: async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
      agent.destroy();
    },
  };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
