import type { Settings } from '../../world/store.ts';
import type { Metrics } from '../../world/telemetry.ts';
import type { TraceParent } from '../../world/tracer.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import type { Delivery, WebhookHost } from './host.ts';

const hosts: readonly WebhookHost[] = [github, gitlab];

/**
 * Takes a delivery of a Git host: answers at once, and has every repository that it names looked at. The payload is a hint, never believed:
 * revisions are asked of Git.
 */
export function receiveWebhook(
  delivery: Delivery,
  settings: Settings,
  refresh: (url: string, parent?: TraceParent) => number,
  metrics: Pick<Metrics, 'pushed'>,
): { readonly status: number; readonly body: string } {
  const found = hosts.find((host) => host.recognizes(delivery));
  if (found === undefined) {
    const known = hosts.map(({ name }) => name).join(' and ');
    return { status: 400, body: `unknown webhook: send the event header of ${known}\n` };
  }
  const verdict = found.read(delivery, settings.webhookSecrets);
  if (verdict.kind === 'refused') return { status: verdict.status, body: `${verdict.reason}\n` };
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
