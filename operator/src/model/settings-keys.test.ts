import assert from 'node:assert/strict';
import test from 'node:test';
import { settingKey, settingKeys, unreadSettings } from './settings-keys.ts';

test('a key is known by its own row before one that begins alike', () => {
  assert.equal(settingKey('argocd-cmd-params-cm', 'controller.sync.timeout.seconds')?.class, 'read');
  assert.equal(settingKey('argocd-cmd-params-cm', 'controller.status.processors')?.class, 'none');
  assert.equal(settingKey('argocd-cm', 'resource.customizations.actions.apps_Deployment')?.class, 'hint');
  assert.equal(settingKey('argocd-cm', 'resource.customization'), undefined);
  assert.equal(settingKey('repository', 'githubAppPrivateKey')?.class, 'rule');
});

test('every key is there once, with a sentence', () => {
  const names = settingKeys.map(({ place, key }) => `${place} ${key}`);
  assert.equal(new Set(names).size, names.length);
  assert.ok(settingKeys.every(({ about }) => about !== ''));
});

test('what is read, empty or so anyway is not told of, and a typo is', () => {
  const fields = {
    'timeout.reconciliation': '3m',
    'application.resourceTrackingMethod': ' annotation ',
    'resource.ignoreResourceUpdatesEnabled': 'true',
    installationID: '',
    'resource.exclusion': '[]',
    'timeout.hard.reconciliation': '1h',
  };
  const found = unreadSettings('argocd-cm', fields).map(({ key, class: name }) => [key, name]);
  assert.deepEqual(found, [
    ['resource.exclusion', 'unknown'],
    ['timeout.hard.reconciliation', 'hint'],
  ]);
});
