import { Agent, request } from 'node:https';

/** How to reach an API server as its administrator. All in PEM. */
export type Endpoint = {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
};

/** A JSON object as the API server answers it; what it holds depends on the path. */
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of many kinds, and a schema for each would say nothing new
export type Json = any;

/** An answer with a status of 400 or more. */
export type ApiError = Error & { readonly status: number; readonly body: string };

/** A small client: enough to set a cluster up and to look at it, with no dependency. */
export type Api = {
  /** Sends the body as JSON (patches as `application/merge-patch+json`) and parses a JSON answer. Throws an `ApiError`. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    options?: { contentType?: string; timeoutMs?: number },
  ) => Promise<Json>;
  /** The answer as text, for logs, `/readyz` and the like. */
  readonly text: (path: string) => Promise<string>;
  readonly close: () => void;
};

export function createApi(endpoint: Endpoint): Api {
  const { ca, cert, key } = endpoint;
  const agent = new Agent({ keepAlive: true, ca, cert, key });

  async function send(
    method: string,
    path: string,
    body: string | undefined,
    contentType: string,
    timeoutMs: number,
  ): Promise<string> {
    return await new Promise((resolve, reject) => {
      const headers =
        body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
      const sent = request(
        new URL(path, endpoint.server),
        { method, agent, headers, timeout: timeoutMs },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const status = response.statusCode ?? 0;
            if (status < 400) resolve(text);
            else
              reject(
                Object.assign(new Error(`${method} ${path}: ${status} ${text.slice(0, 500)}`), { status, body: text }),
              );
          });
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }

  return {
    call: async (method, path, body, options = {}) => {
      const contentType =
        options.contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
      const text = body === undefined ? undefined : JSON.stringify(body);
      return JSON.parse(await send(method, path, text, contentType, options.timeoutMs ?? 30_000)) as Json;
    },
    text: (path) => send('GET', path, undefined, '', 30_000),
    close: () => agent.destroy(),
  };
}
