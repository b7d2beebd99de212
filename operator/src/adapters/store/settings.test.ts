import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSettings, type SettingsSource } from './settings.ts';

function read(source: Partial<SettingsSource>) {
  const warnings: string[] = [];
  const settings = readSettings({ config: {}, parameters: {}, secret: {}, ...source }, (message) =>
    warnings.push(message),
  );
  return { settings, warnings };
}

test("Argo CD's defaults hold where nothing is set", () => {
  const { settings, warnings } = read({});
  assert.deepEqual(settings, {
    pollIntervalMs: 120_000,
    pollJitterMs: 60_000,
    webhookSecrets: {},
    syncTimeoutMs: 0,
    waveDelayMs: 2_000,
    renderers: {},
  });
  assert.deepEqual(warnings, []);
});

test('each key is read', () => {
  const { settings } = read({
    config: {
      'timeout.reconciliation': '0s',
      'timeout.reconciliation.jitter': '5s',
      'helm.enable': 'false',
      'kustomize.buildOptions': '--reorder none',
    },
    parameters: { 'controller.sync.timeout.seconds': '300', 'controller.sync.wave.delay.seconds': '0' },
    secret: {
      'webhook.github.secret': ' hub ',
      'webhook.gitlab.secret': 'lab',
      'webhook.gogs.secret': ' ',
      other: 'x',
    },
  });
  assert.deepEqual(settings, {
    pollIntervalMs: 0,
    pollJitterMs: 5_000,
    webhookSecrets: { 'github.secret': 'hub', 'gitlab.secret': 'lab' },
    syncTimeoutMs: 300_000,
    waveDelayMs: 0,
    renderers: { 'helm.enable': 'false', 'kustomize.buildOptions': '--reorder none' },
  });
});

for (const value of ['-1s', 'soon', '5', '1e400s']) {
  test(`timeout.reconciliation "${value}" leaves the default and says what to correct`, () => {
    const { settings, warnings } = read({ config: { 'timeout.reconciliation': value } });
    assert.equal(settings.pollIntervalMs, 120_000);
    assert.match(warnings[0] ?? '', /^argocd-cm: timeout\.reconciliation must be a duration/);
  });
}
