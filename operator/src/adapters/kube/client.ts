import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { Fault, messageOf } from '../../model/fault.ts';
import type { OperatorLimits } from '../../model/limits.ts';
import { maskUserInformation } from '../../model/mask.ts';
import type { Clock } from '../../world/clock.ts';
import type { Random } from '../../world/random.ts';
import type { Metrics } from '../../world/telemetry.ts';
import type { Connection, Tls } from './connection.ts';
import { parseExact } from './exact-json.ts';
import type { Fence } from './fence.ts';
import { splitLines } from './lines.ts';
import { type Refusal, readStatus, refusalOf } from './refusal.ts';
import { isFenced, type KubeRequest, targetOf, verbOf } from './request.ts';

/** What a watch tells; after `ended` or `failed` comes nothing more. */
export interface StreamListener {
  /** The API server accepted the watch. */
  opened(): void;
  /** One line: the JSON of one event. Throwing closes the stream as failed. */
  line(line: string): void;
  ended(): void;
  failed(fault: Fault): void;
}

/** Sends requests to one API server over kept connections. */
export interface KubeClient {
  readonly server: string;
  /**
   * The parsed answer. At most `requestsPerCluster` requests are under way; the others wait their turn. A 429 is sent again after what its
   * `Retry-After` says, and repeatable requests also after a broken connection, a 502, 503 or 504: at most four times in all, or as often as the request
   * says. Throws `Fault`, also `not-leading` where the fence is closed when a write's turn has come.
   */
  send(request: KubeRequest): Promise<unknown>;
  /** Starts a watch on a connection of its own; the answer closes it, silently. */
  stream(request: KubeRequest, listener: StreamListener): () => void;
  /** Ends all connections; what is under way fails. */
  close(): Promise<void>;
}

/** What everything that talks to a cluster is made of. */
export interface KubeContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: OperatorLimits;
  readonly metrics?: Pick<Metrics, 'kubeAsked' | 'watched'>;
  /** Held against every write, each time that it is sent; without one all go through. */
  readonly fence?: Fence;
}

const attempts = 4;
const firstWaitMs = 100;
const longestWaitMs = 10_000;
const connectTimeoutMs = 5_000;
/** Linux then probes each second: a dead peer is noticed within 15 s, without a byte sent by the process. */
const tcpProbeAfterMs = 5_000;
const userAgent = 'mooring';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
  /** What was sent to be known by. */
  readonly authorization: string | undefined;
}

/** `name` is what metrics call the cluster: the address that destinations name it by. */
export function createClient(
  connection: Connection,
  context: KubeContext,
  name: string = connection.server,
): KubeClient {
  const { clock, random, limits, metrics, fence } = context;
  const url = new URL(connection.server);
  const prefix = url.pathname.replace(/(?<!\/)\/+$/, '');
  let secured: Secured | undefined;
  /** Connections of before a change, until what they carry has ended. */
  const retired = new Set<Dispatcher>();
  let connectionFailed = false;
  let isClosed = false;

  async function connections(): Promise<Secured> {
    const renew = connectionFailed;
    connectionFailed = false;
    const tls = (await connection.tls?.(renew)) ?? noTls;
    if (secured !== undefined && (secured.tls === tls || isClosed)) return secured;
    for (const dispatcher of secured === undefined ? [] : [secured.requests, secured.watches]) {
      retired.add(dispatcher);
      void dispatcher.close().finally(() => retired.delete(dispatcher));
    }
    const requests = createDispatcher(connection, tls, url.origin, limits.requestsPerCluster);
    secured = {
      tls,
      requests,
      writes: fence === undefined ? requests : requests.compose(fencedBy(fence)),
      // Watches stay open for minutes: in the same pool they would use up the connections of the requests.
      watches: createDispatcher(connection, tls, url.origin, null),
    };
    return secured;
  }

  async function headersOf(request: KubeRequest, renew: boolean): Promise<Record<string, string>> {
    const headers: Record<string, string> = { accept: request.accept, 'user-agent': userAgent };
    if (request.contentType !== undefined) headers['content-type'] = request.contentType;
    if (request.traceparent !== undefined) headers['traceparent'] = request.traceparent;
    const authorization = await connection.authorization?.(renew);
    if (authorization !== undefined) headers['authorization'] = authorization;
    return headers;
  }

  function tell(request: KubeRequest, status: number | undefined, durationMs: number | undefined): void {
    const { key, plural = '' } = request;
    const object = key && { plural, namespace: key.namespace };
    metrics?.kubeAsked({ server: name, verb: verbOf(request), status, durationMs, object });
  }

  async function once(request: KubeRequest, renew: boolean): Promise<Answer> {
    const headers = await headersOf(request, renew);
    const startedAt = clock.now();
    let status: number | undefined;
    let isSent = true;
    try {
      const answer = await ask(request, headers);
      status = answer.status;
      return answer;
    } catch (thrown) {
      isSent = !(thrown instanceof Fault && thrown.code === 'not-leading');
      throw thrown;
    } finally {
      if (isSent) tell(request, status, clock.now() - startedAt);
    }
  }

  async function ask(request: KubeRequest, headers: Record<string, string>): Promise<Answer> {
    const { requests, writes } = await connections();
    const {
      statusCode,
      headers: answered,
      body,
    } = await (isFenced(request) ? writes : requests).request({
      origin: url.origin,
      path: prefix + targetOf(request),
      method: request.method,
      headers,
      body: request.body ?? null,
      headersTimeout: limits.requestTimeoutMs,
      bodyTimeout: limits.requestTimeoutMs,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limits.responseBytes) {
        body.destroy();
        throw new Fault(
          'limit-reached',
          `${request.subject}: the API server's answer has more than ${limits.responseBytes} bytes`,
          { server: connection.server },
        );
      }
      chunks.push(chunk);
    }
    const text = (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)).toString('utf8');
    return {
      status: statusCode,
      text,
      retryAfterMs: retryAfter(answered['retry-after'], text, statusCode),
      authorization: headers['authorization'],
    };
  }

  function refusalIn({ status, text, retryAfterMs, authorization }: Answer): Refusal {
    return { httpStatus: status, body: text, messageLength: limits.messageLength, retryAfterMs, authorization };
  }

  async function send(request: KubeRequest): Promise<unknown> {
    let renew = false;
    const last = request.attempts ?? attempts;
    for (let attempt = 1; ; attempt++) {
      let waitMs: number;
      try {
        const answer = await once(request, renew);
        if (answer.status < 400) return parseAnswer(request, answer.text, connection.server);
        const fault = refusalOf(request, refusalIn(answer));
        if (answer.status === 401 && !renew && connection.authorization !== undefined) {
          renew = true;
          continue;
        }
        if (attempt === last || !mayRepeat(request, answer)) throw fault;
        waitMs = answer.retryAfterMs ?? backoff(attempt);
        if (waitMs > limits.requestTimeoutMs) throw fault;
      } catch (thrown) {
        if (thrown instanceof Fault) throw thrown;
        connectionFailed = true;
        if (attempt === last || !request.repeatable || !isBrokenConnection(thrown))
          throw unreachable(connection.server, thrown);
        waitMs = backoff(attempt);
      }
      await new Promise<void>((resolve) => clock.after(waitMs, resolve));
    }
  }

  function backoff(attempt: number): number {
    return Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1)) * (0.5 + random.next());
  }

  function stream(request: KubeRequest, listener: StreamListener): () => void {
    const abort = new AbortController();
    let over = false;
    const finish = (tell: () => void): void => {
      if (over) return;
      over = true;
      abort.abort();
      tell();
    };
    let isAnswered = false;
    const run = async (): Promise<void> => {
      const requestHeaders = await headersOf(request, false);
      const { watches } = await connections();
      const { statusCode, headers, body } = await watches.request({
        origin: url.origin,
        path: prefix + targetOf(request),
        method: request.method,
        headers: requestHeaders,
        headersTimeout: limits.requestTimeoutMs,
        bodyTimeout: 0,
        signal: abort.signal,
      });
      if (over) return;
      isAnswered = true;
      tell(request, statusCode, undefined);
      if (statusCode >= 400) {
        if (statusCode === 401) await connection.authorization?.(true);
        const text = await body.text();
        const refusal = refusalIn({
          status: statusCode,
          text,
          retryAfterMs: retryAfter(headers['retry-after'], text, statusCode),
          authorization: requestHeaders['authorization'],
        });
        return finish(() => listener.failed(refusalOf(request, refusal)));
      }
      listener.opened();
      let events = 0;
      const push = splitLines(limits.responseBytes, (line) => {
        events += 1;
        if (!over) listener.line(line);
      });
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (over) return;
        events = 0;
        const startedAt = clock.now();
        push(chunk);
        if (events > 0) metrics?.watched({ server: name, events, durationMs: clock.now() - startedAt });
      }
      finish(() => listener.ended());
    };
    run().catch((thrown: unknown) => {
      if (!(thrown instanceof Fault)) connectionFailed = true;
      if (!isAnswered && !over) tell(request, undefined, undefined);
      finish(() => listener.failed(thrown instanceof Fault ? thrown : unreachable(connection.server, thrown)));
    });
    return () => finish(() => {});
  }

  return {
    server: connection.server,
    send,
    stream,
    close: async () => {
      isClosed = true;
      const open = secured === undefined ? [] : [secured.requests, secured.watches];
      await Promise.all([...open, ...retired].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

/** Connections that were made with one and the same TLS. */
interface Secured {
  readonly tls: Tls;
  readonly requests: Dispatcher;
  /** The same connections, behind the fence where there is one. */
  readonly writes: Dispatcher;
  readonly watches: Dispatcher;
}

const noTls: Tls = {};

function createDispatcher(
  { proxyUrl }: Connection,
  { ca, cert, key, serverName, insecure }: Tls,
  origin: string,
  connections: number | null,
): Dispatcher {
  const tls: Record<string, unknown> = { rejectUnauthorized: insecure !== true };
  if (ca !== undefined) tls['ca'] = ca;
  if (cert !== undefined) tls['cert'] = cert;
  if (key !== undefined) tls['key'] = key;
  if (serverName !== undefined) tls['servername'] = serverName;
  const options = {
    connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 300_000,
  };
  if (proxyUrl !== undefined) return new ProxyAgent({ ...options, uri: proxyUrl, requestTls: tls });
  return new Pool(origin, {
    ...options,
    connect: { ...tls, timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: tcpProbeAfterMs },
  });
}

/** Holds a write against the fence when it has its connection and nothing of it was written yet, however long it has waited for that. */
function fencedBy(fence: Fence): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    let end = (): void => {};
    return dispatch(options, {
      onRequestStart: (controller, context) => {
        end = fence.begin();
        handler.onRequestStart?.(controller, context);
      },
      onResponseStart: (...told) => handler.onResponseStart?.(...told),
      onResponseData: (...told) => handler.onResponseData?.(...told),
      onResponseEnd: (...told) => {
        end();
        handler.onResponseEnd?.(...told);
      },
      onResponseError: (...told) => {
        end();
        handler.onResponseError?.(...told);
      },
    });
  };
}

function parseAnswer(request: KubeRequest, text: string, server: string): unknown {
  try {
    return parseExact(text);
  } catch (thrown) {
    throw new Fault(
      'cluster-unreachable',
      `${maskUserInformation(server)}: the answer to ${request.method} ${request.subject} is no JSON: something between here and the API server changed or cut it`,
      { server },
      thrown,
    );
  }
}

function mayRepeat(request: KubeRequest, answer: Answer): boolean {
  if (answer.status === 429) return true;
  return request.repeatable && (answer.status === 502 || answer.status === 503 || answer.status === 504);
}

function retryAfter(header: string | string[] | undefined, text: string, status: number): number | undefined {
  const seconds = Number(header ?? (status === 429 ? readStatus(text).details?.retryAfterSeconds : undefined));
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

const brokenConnection: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);

function isBrokenConnection(thrown: unknown): boolean {
  return brokenConnection.has(errorCode(thrown));
}

function unreachable(server: string, thrown: unknown): Fault {
  const code = errorCode(thrown);
  const detail = messageOf(thrown) || code;
  return new Fault(
    'cluster-unreachable',
    `${maskUserInformation(server)} cannot be reached: ${detail}${code === '' || detail.includes(code) ? '' : ` (${code})`}`,
    { server, code },
    thrown,
  );
}

function errorCode(thrown: unknown): string {
  const code = (thrown as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}
