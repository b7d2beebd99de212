import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { findRepositoryAddress } from '../../model/repository-url.ts';
import type { Settings } from '../../world/store.ts';
import type { Metrics } from '../../world/telemetry.ts';
import type { TraceParent } from '../../world/tracer.ts';
import type { WebhookAnswer } from './deliver.ts';

/** What is left of a delivery once it is known to come from the Git host: where to look. */
export interface News {
  /** Every address that the host gives the repository. */
  readonly urls: readonly string[];
  /** The trace that whoever sent the delivery has put it in. */
  readonly parent?: TraceParent;
}

/** News on its way from one replica to another. */
export interface SealedNews {
  readonly body: Uint8Array;
  /** Shows that the sender has the webhook secrets; undefined where there are none, so that anybody may send deliveries. */
  readonly seal: string | undefined;
}

/** Who is told of news. */
export interface Announcing {
  /** Has a repository looked at; answers how many Applications use it. */
  refresh(url: string, parent?: TraceParent): number;
  readonly metrics: Pick<Metrics, 'pushed'>;
}

/** Has every repository looked at that the news name. */
export function announce({ urls, parent }: News, { refresh, metrics }: Announcing): WebhookAnswer {
  const asked = urls.map((url) => ({ url, users: refresh(url, parent) }));
  const used = asked.find(({ users }) => users > 0);
  metrics.pushed(used?.url);
  return { status: 200, body: `${Math.max(0, ...asked.map(({ users }) => users))} applications use this repository\n` };
}

/** Puts news into a form that travels in clear text: it holds addresses without user information, and nothing that the Git host has sent as a secret. */
export function sealNews({ urls, parent }: News, secrets: Settings['webhookSecrets']): SealedNews {
  const addresses = urls.flatMap((url) => findRepositoryAddress(url)?.url ?? []);
  const body = Buffer.from(JSON.stringify({ urls: addresses, ...(parent && { parent }) }));
  return { body, seal: sealOf(body, secrets) };
}

/** The news, or undefined where they are none, or not from somebody who has the webhook secrets. Nothing is read before that is known. */
export function openNews({ body, seal }: SealedNews, secrets: Settings['webhookSecrets']): News | undefined {
  const expected = sealOf(body, secrets);
  if (expected !== undefined && !isSame(seal ?? '', expected)) return undefined;
  try {
    const news = JSON.parse(Buffer.from(body).toString('utf8')) as Partial<News> | null;
    const areTexts = Array.isArray(news?.urls) && news.urls.every((url) => typeof url === 'string');
    const { traceparent, tracestate } = news?.parent ?? {};
    if (!areTexts || news?.urls === undefined) return undefined;
    if (typeof traceparent !== 'string') return { urls: news.urls };
    return { urls: news.urls, parent: { traceparent, ...(typeof tracestate === 'string' && { tracestate }) } };
  } catch {
    return undefined;
  }
}

/** A code over the bytes, with a key made from all webhook secrets, none of which can be told from it. */
function sealOf(body: Uint8Array, secrets: Settings['webhookSecrets']): string | undefined {
  const entries = Object.entries(secrets).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  const key = createHash('sha256')
    .update(JSON.stringify(['handed on', entries]))
    .digest();
  return createHmac('sha256', key).update(body).digest('hex');
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
