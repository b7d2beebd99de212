import type { Settings } from '../../world/store.ts';
import type { WebhookRefusal } from '../../world/telemetry.ts';
import type { TraceParent } from '../../world/tracer.ts';
import type { WebhookAnswer } from './deliver.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import type { Delivery, WebhookHost } from './host.ts';
import type { News } from './news.ts';

const hosts: readonly WebhookHost[] = [github, gitlab];

/** What a delivery is taken with. */
export interface Receiving {
  readonly webhookSecrets: Settings['webhookSecrets'];
  /** Told of what a delivery says; answers what is said to the host. */
  deliver(news: News): WebhookAnswer | Promise<WebhookAnswer>;
  /** Told of a delivery that is not taken, and why. */
  refused(refusal: WebhookRefusal, message: string): void;
}

/**
 * Takes a delivery of a Git host: checks it, and has whoever leads look at every repository that it names. Where any host's secret is set every host needs its own, since
 * whoever has none would else send as that other host. The payload is a hint, never believed: revisions are asked of Git.
 */
export async function receiveWebhook(
  delivery: Delivery,
  { webhookSecrets, deliver, refused }: Receiving,
): Promise<WebhookAnswer> {
  const refuse = (status: number, host: string, reason: WebhookRefusal['reason'], message: string) => {
    refused({ host, reason }, message);
    return { status, body: `${message}\n` };
  };
  const host = hosts.find((each) => each.recognizes(delivery));
  if (host === undefined) {
    const known = hosts.map(({ name }) => name).join(' and ');
    return refuse(400, 'unknown', 'unknown-host', `unknown webhook: send the event header of ${known}`);
  }
  const { name, secretKey } = host;
  const secret = webhookSecrets[secretKey];
  if (secret === undefined && Object.keys(webhookSecrets).length > 0) {
    const message = `argocd-secret has webhook secrets, and none for ${name}: set webhook.${secretKey} there to take its deliveries`;
    return refuse(401, name, 'no-secret', message);
  }
  if (secret !== undefined && !host.isAuthentic(delivery, secret)) {
    return refuse(401, name, 'wrong-secret', `the delivery does not fit webhook.${secretKey}`);
  }
  const verdict = await host.read(delivery);
  if (verdict.kind === 'unreadable') return refuse(400, name, 'payload', verdict.reason);
  if (verdict.kind === 'ignored') return { status: 200, body: `ignored: ${verdict.reason}\n` };
  const parent = traceParentOf(delivery);
  return deliver({ urls: verdict.push.urls, ...(parent && { parent }) });
}

/** The trace that whoever sends the delivery has put it in (W3C Trace Context). */
function traceParentOf({ headers }: Delivery): TraceParent | undefined {
  const { traceparent, tracestate } = headers;
  if (traceparent === undefined) return undefined;
  return { traceparent, ...(tracestate !== undefined && { tracestate }) };
}
