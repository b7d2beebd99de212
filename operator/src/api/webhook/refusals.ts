import type { Clock } from '../../world/clock.ts';
import type { Telemetry, WebhookRefusal } from '../../world/telemetry.ts';

/** Milliseconds between two lines of the log about refusals of one host and reason: anybody can send deliveries. */
const everyMs = 60_000;

/** Counts refused deliveries, and logs the first one of each host and reason at once, later ones at most once a minute with how many there were. */
export function createRefusals(
  clock: Clock,
  {
    log,
    metrics,
  }: { readonly log: Pick<Telemetry['log'], 'warn'>; readonly metrics: Pick<Telemetry['metrics'], 'webhookRefused'> },
): (refusal: WebhookRefusal, message: string) => void {
  const told = new Map<string, { readonly at: number; untold: number }>();
  return (refusal, message) => {
    metrics.webhookRefused(refusal);
    const key = `${refusal.host} ${refusal.reason}`;
    const last = told.get(key);
    const now = clock.now();
    if (last !== undefined && now - last.at < everyMs) {
      last.untold += 1;
      return;
    }
    told.set(key, { at: now, untold: 0 });
    log.warn(
      { ...refusal, ...(last !== undefined && last.untold > 0 && { more: last.untold }) },
      `a webhook was refused: ${message}`,
    );
  };
}
