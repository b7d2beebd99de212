import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualFilter } from '../../model/kind-filter.ts';
import { noUnreadRules } from '../../model/unread-rules.ts';
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
    kinds: usualFilter,
    globalProjects: [],
    customizations: [],
    unread: noUnreadRules,
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
    kinds: usualFilter,
    globalProjects: [],
    customizations: [],
    unread: noUnreadRules,
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

test('exclusions and inclusions are read as Argo CD writes them, and nothing said is a value', () => {
  const exclusions = "- apiGroups: ['', discovery.k8s.io]\n  kinds: [Endpoints]\n- clusters: ['https://a']\n";
  const filter = (config: Record<string, string>) => read({ config }).settings.kinds;
  assert.deepEqual(filter({ 'resource.exclusions': exclusions }), {
    exclusions: [
      { apiGroups: ['', 'discovery.k8s.io'], kinds: ['Endpoints'], clusters: [] },
      { apiGroups: [], kinds: [], clusters: ['https://a'] },
    ],
    inclusions: [],
  });
  for (const empty of ['', '[]', '# nothing\n'])
    assert.deepEqual(filter({ 'resource.exclusions': empty }), { exclusions: [], inclusions: [] });
});

const protective: readonly [key: string, good: string, bad: string, why: RegExp][] = [
  ['resource.exclusions', '- kinds: [Job]', '- kind: [Job]', /has the unknown field kind/],
  ['resource.inclusions', '- kinds: [Job]', 'kinds: Job', /must be a list/],
  ['globalProjects', '- {projectName: all}', '- {labelSelector: {}}', /projectName must name an AppProject/],
  ['globalProjects', '- {projectName: all}', '- {projectName: a', /cannot be read/],
  ['resource.customizations', 'apps/Deployment: {}', '[1]', /must map kinds to rules/],
  ['resource.compareoptions', 'ignoreAggregatedRoles: false', 'ignoreAll: true', /unknown field ignoreAll/],
];
test('where what protects cannot be read, the last good value holds, or nothing is synced', () => {
  for (const [key, good, bad, why] of protective) {
    const reader = createSettingsReader();
    const source = (text: string): SettingsSource => ({ ...nothing, config: { [key]: text } });
    const first = reader(source(bad));
    assert.equal(first.settings.unread.everybody.length, 1, key);
    assert.match(first.settings.unread.everybody[0] ?? '', why);
    assert.match(first.bad[0]?.message ?? '', /; nothing is synced until it is corrected$/);
    assert.deepEqual(reader(source(good)).settings.unread.everybody, []);
    const again = reader(source(bad));
    assert.deepEqual(again.settings.unread.everybody, []);
    assert.match(again.bad[0]?.message ?? '', /is used until it is corrected$/);
  }
});

test('customizations are read in both forms', () => {
  const { customizations } = read({
    config: {
      'resource.customizations.ignoreDifferences.all': 'managedFieldsManagers: [kube-controller-manager]',
      'resource.customizations.ignoreDifferences.apps_Deployment': 'jqPathExpressions: [".spec | map(.x)"]',
      'resource.customizations.health.Certificate': 'hs = {}',
      'resource.customizations.actions.apps_Deployment': 'x',
      'resource.customizations': 'apps/StatefulSet:\n  ignoreDifferences: |\n    jsonPointers: [/spec/replicas]\n',
    },
  }).settings;
  const told = customizations.map(({ what, group, kind, rule, problem }) => [what, `${group}/${kind}`, rule, problem]);
  const rule = { jsonPointers: [], jqPathExpressions: [], managedFieldsManagers: [] };
  assert.deepEqual(told.slice(0, 2), [
    [
      'ignoreDifferences',
      'apps/StatefulSet',
      { ...rule, group: 'apps', kind: 'StatefulSet', jsonPointers: ['/spec/replicas'] },
      undefined,
    ],
    [
      'ignoreDifferences',
      '*/*',
      { ...rule, group: '*', kind: '*', managedFieldsManagers: ['kube-controller-manager'] },
      undefined,
    ],
  ]);
  assert.match(String(told[2]?.[3]), /jq expression '\.spec \| map\(\.x\)' is not supported yet/);
  assert.deepEqual(told.slice(3), [['health', '/Certificate', undefined, undefined]]);
});

test('what stops everybody, and what stops some, is told from what is so anyway', () => {
  const unread = (config: Record<string, string>, parameters: Record<string, string> = {}) =>
    read({ config, parameters }).settings.unread;
  assert.deepEqual(unread({ 'application.resourceTrackingMethod': 'annotation', installationID: '' }), noUnreadRules);
  for (const method of ['label', 'annotation+label']) {
    const [hold] = unread({ 'application.resourceTrackingMethod': method }).everybody;
    assert.match(hold ?? '', /^argocd-cm: application\.resourceTrackingMethod/);
  }
  assert.match(unread({ installationID: 'a' }).everybody[0] ?? '', /^argocd-cm: installationID/);
  const enabled = { 'application.sync.impersonation.enabled': 'true' };
  assert.equal(unread(enabled).impersonation, 'needed');
  assert.equal(unread({ ...enabled, 'application.sync.impersonation.enforced': 'false' }).impersonation, 'used');
  assert.ok(unread({ 'cluster.inClusterEnabled': 'false' }).ownClusterOff);
  assert.ok(unread({ 'resource.compareoptions': 'ignoreAggregatedRoles: true' }).aggregatedRoles);
  assert.ok(unread({ 'resource.compareoptions': 'ignoreResourceStatusField: crd' }).comparesStatus);
  assert.ok(unread({}, { 'reposerver.include.hidden.directories': 'true' }).hiddenDirectories);
});
