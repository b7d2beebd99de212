import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSettingsReader, type SettingsSource } from './settings.ts';

const nothing: SettingsSource = { config: {}, parameters: {}, secret: {} };

function read(source: Partial<SettingsSource>) {
  return createSettingsReader()({ ...nothing, ...source });
}

test("Argo CD's defaults hold where nothing is set", () => {
  const { settings, bad } = read({});
  assert.deepEqual(settings, {
    pollIntervalMs: 120_000,
    pollJitterMs: 60_000,
    webhookSecrets: {},
    syncTimeoutMs: 0,
    waveDelayMs: 2_000,
    metrics: {},
    respectRbac: 'off',
    renderers: {},
  });
  assert.deepEqual(bad, []);
});

test('each key is read', () => {
  const { settings } = read({
    config: {
      'timeout.reconciliation': '0s',
      'timeout.reconciliation.jitter': '5s',
      'resource.respectRBAC': 'strict',
      'helm.enable': 'false',
      'kustomize.buildOptions': '--reorder none',
    },
    parameters: {
      'controller.sync.timeout.seconds': '300',
      'controller.sync.wave.delay.seconds': '0',
      'controller.metrics.application.labels': 'team-name, tier,',
      'controller.metrics.application.conditions': 'SyncError',
      'controller.metrics.cluster.labels': ' ',
    },
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
    metrics: { applicationLabels: ['team-name', 'tier'], applicationConditions: ['SyncError'] },
    respectRbac: 'strict',
    renderers: { 'helm.enable': 'false', 'kustomize.buildOptions': '--reorder none' },
  });
});

for (const value of ['-1s', 'soon', '5', '1e400s']) {
  test(`timeout.reconciliation "${value}" leaves the default and says what to correct`, () => {
    const { settings, bad } = read({ config: { 'timeout.reconciliation': value } });
    assert.equal(settings.pollIntervalMs, 120_000);
    assert.deepEqual(bad, [
      {
        object: 'argocd-cm',
        key: 'timeout.reconciliation',
        message: `argocd-cm: timeout.reconciliation is "${value}", but must be a duration of 0 or more, such as 120s or 3m; the default is used until it is corrected`,
      },
    ]);
  });
}

test('resource.respectRBAC takes what Argo CD takes', () => {
  const { settings, bad } = read({ config: { 'resource.respectRBAC': 'Strict' } });
  assert.equal(settings.respectRbac, 'off');
  assert.match(bad[0]?.message ?? '', /resource\.respectRBAC is "Strict", but must be normal, strict or empty/);
});

test('a value that was good is used on while the one of now is bad, and forgotten when the key goes', () => {
  const reader = createSettingsReader();
  const wait = (text?: string): SettingsSource => ({
    ...nothing,
    parameters: text === undefined ? {} : { 'controller.sync.wave.delay.seconds': text },
  });
  assert.equal(reader(wait('7')).settings.waveDelayMs, 7_000);
  const { settings, bad } = reader(wait('a while'));
  assert.equal(settings.waveDelayMs, 7_000);
  assert.match(bad[0]?.message ?? '', /^argocd-cmd-params-cm: .* is "a while", but must be .*; "7" is used until/);
  assert.equal(reader(wait()).settings.waveDelayMs, 2_000);
  assert.equal(reader(wait('a while')).settings.waveDelayMs, 2_000);
});

test('what a renderer cannot use is told by its key, and cut where it is long', () => {
  const reader = createSettingsReader(({ 'kustomize.buildOptions': text = '' }) =>
    text.startsWith('--x') ? { 'kustomize.buildOptions': 'but there is no such flag' } : {},
  );
  const options = (text: string): SettingsSource => ({ ...nothing, config: { 'kustomize.buildOptions': text } });
  assert.deepEqual(reader(options('--reorder none')).bad, []);
  const { settings, bad } = reader(options(`--x${'x'.repeat(1_000)}`));
  assert.deepEqual(settings.renderers, { 'kustomize.buildOptions': '--reorder none' });
  assert.match(bad[0]?.message ?? '', /is "--x{98}…", but there is no such flag; "--reorder none" is used/);
});
