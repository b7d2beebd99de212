import type { Settings } from '../../world/store.ts';
import type { Metrics, WebhookRefusal } from '../../world/telemetry.ts';
import type { TraceParent } from '../../world/tracer.ts';
import type { WebhookAnswer } from './deliver.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import type { Delivery, WebhookHost } from './host.ts';

const hosts: readonly WebhookHost[] = [github, gitlab];

/** What a delivery is taken with. */
export interface Receiving {
  readonly webhookSecrets: Settings['webhookSecrets'];
  /** Has a repository looked at; answers how many Applications use it. */
  refresh(url: string, parent?: TraceParent): number;
  /** Told of a delivery that is not taken, and why. */
  refused(refusal: WebhookRefusal, message: string): void;
  readonly metrics: Pick<Metrics, 'pushed'>;
}

/**
 * Takes a delivery of a Git host: answers at once, and has every repository that it names looked at. Where any host's secret is set every host needs its own, since
 * whoever has none would else send as that other host. The payload is a hint, never believed: revisions are asked of Git.
 */
export async function receiveWebhook(
  delivery: Delivery,
  { webhookSecrets, refresh, refused, metrics }: Receiving,
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
  const asked = verdict.push.urls.map((url) => ({ url, users: refresh(url, parent) }));
  const used = asked.find(({ users }) => users > 0);
  metrics.pushed(used?.url);
  return { status: 200, body: `${Math.max(0, ...asked.map(({ users }) => users))} applications use this repository\n` };
}

/** The trace that whoever sends the delivery has put it in (W3C Trace Context). */
function traceParentOf({ headers }: Delivery): TraceParent | undefined {
  const { traceparent, tracestate } = headers;
  if (traceparent === undefined) return undefined;
  return { traceparent, ...(tracestate !== undefined && { tracestate }) };
}
