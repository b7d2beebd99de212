import { parseDuration } from '../../model/duration.ts';
import type { Settings } from '../../world/store.ts';

type Fields = Readonly<Record<string, string>>;

/** What settings are read from. Empty where the object does not exist. */
export interface SettingsSource {
  /** Data of the ConfigMap `argocd-cm`. */
  readonly config: Fields;
  /** Data of the ConfigMap `argocd-cmd-params-cm`. */
  readonly parameters: Fields;
  /** Decoded data of the Secret `argocd-secret`. */
  readonly secret: Fields;
}

const aboutRenderers = /^(?:helm|kustomize|jsonnet)\./;

/** Reads the settings with Argo CD's names and defaults. A value that cannot be read leaves the default and tells `warn` which key to correct; values are not repeated. */
export function readSettings(source: SettingsSource, warn: (message: string) => void): Settings {
  const { config, parameters, secret } = source;

  const duration = (key: string, fallbackMs: number): number => {
    const text = (config[key] ?? '').trim();
    if (text === '') return fallbackMs;
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= 0) return ms;
    warn(`argocd-cm: ${key} must be a duration of 0 or more, such as 120s or 3m; ${fallbackMs / 1000}s is used`);
    return fallbackMs;
  };
  const seconds = (key: string, fallbackMs: number): number => {
    const text = (parameters[key] ?? '').trim();
    if (text === '') return fallbackMs;
    if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
    warn(`argocd-cmd-params-cm: ${key} must be a number of seconds; ${fallbackMs / 1000} is used`);
    return fallbackMs;
  };
  return {
    pollIntervalMs: duration('timeout.reconciliation', 120_000),
    pollJitterMs: duration('timeout.reconciliation.jitter', 60_000),
    webhookSecrets: webhookSecrets(secret),
    syncTimeoutMs: seconds('controller.sync.timeout.seconds', 0),
    waveDelayMs: seconds('controller.sync.wave.delay.seconds', 2_000),
    renderers: Object.fromEntries(Object.entries(config).filter(([key]) => aboutRenderers.test(key))),
  };
}

const webhookPrefix = 'webhook.';

function webhookSecrets(secret: Fields): Fields {
  const found = Object.entries(secret)
    .filter(([key, value]) => key.startsWith(webhookPrefix) && value.trim() !== '')
    .map(([key, value]) => [key.slice(webhookPrefix.length), value.trim()] as const);
  return Object.fromEntries(found);
}
