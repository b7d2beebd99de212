import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../world/telemetry.ts';

/** What a route is told. Header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

/** One address of the server. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Longest body taken, in bytes. */
  readonly bodyBytes: number;
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves routes over HTTP/1.1. A body that is too long is refused with 413 before it is kept; a slow one after 10 s. */
export async function serve(
  routes: readonly Route[],
  address: { host: string; port: number },
  log: Log,
): Promise<HttpServer> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 16_384 },
    (request, response) => {
      handle(routes, request, response).catch((thrown: unknown) => {
        log.error(
          { path: request.url, error: thrown instanceof Error ? (thrown.stack ?? '') : String(thrown) },
          'a request failed',
        );
        if (!response.headersSent) response.writeHead(500).end('internal error\n');
      });
    },
  );
  server.maxConnections = 1_024;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

async function handle(routes: readonly Route[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const here = routes.filter((route) => route.path === path);
  const route = here.find(({ method }) => method === request.method);
  if (route === undefined) {
    response
      .writeHead(here.length > 0 ? 405 : 404, { 'content-type': 'text/plain' })
      .end(`${here.length > 0 ? 'method not allowed' : 'not found'}\n`);
    return;
  }
  const body = await readBody(request, route.bodyBytes);
  if (body === undefined) {
    response
      .writeHead(413, { 'content-type': 'text/plain', connection: 'close' })
      .end(`the body is longer than ${route.bodyBytes} bytes\n`);
    return;
  }
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const answer = await route.answer({ method: request.method ?? '', path, headers, body });
  response.writeHead(answer.status, { 'content-type': answer.contentType ?? 'text/plain' }).end(answer.body);
}

async function readBody(request: IncomingMessage, bytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > bytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
