import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppProject, AppProjectSpec } from '@mooring/crds';
import { type Destination, destinationPermitted, forbiddenBy, sourcePermitted } from './project.ts';

function project(spec: AppProjectSpec): AppProject {
  return { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name: 'shop' }, spec };
}

const sources: readonly [patterns: readonly string[] | undefined, url: string, expected: boolean][] = [
  [undefined, 'https://git.example.com/shop/deploy', false],
  [['*'], 'https://git.example.com/shop/deploy', true],
  [['https://git.example.com/shop/deploy'], 'https://git.example.com/shop/deploy.git', true],
  [['https://git.example.com/shop/deploy.git'], 'https://GIT.example.com/Shop/deploy', true],
  [['ssh://git@example.com/shop/deploy'], 'git@example.com:shop/deploy.git', true],
  [['https://git.example.com/shop/*'], 'https://git.example.com/shop/deploy', true],
  [['https://git.example.com/*'], 'https://git.example.com/shop/deploy', false],
  [['https://git.example.com/**'], 'https://git.example.com/shop/deploy', true],
  [['*', '!https://git.example.com/shop/*'], 'https://git.example.com/shop/deploy', false],
  [['!https://git.example.com/shop/*', '*'], 'https://git.example.com/shop/deploy', false],
  [['*', '!https://git.example.com/shop/*'], 'https://git.example.com/other/deploy', true],
  [['https://git.example.com:443//shop/*.git'], 'https://git.example.com/shop/deploy', true],
  [['https://ada@git.example.com/shop/*'], 'https://bob@git.example.com/shop/deploy', true],
  [['https://[::1]/*'], 'https://[0::1]/deploy', true],
  [['https://git.example.com/{shop,%62ank}/?eploy'], 'https://git.example.com/Bank/deploy', true],
  [['https://git.example.com/a%2Ab'], 'https://git.example.com/axb', false],
  [['https://git.example.com/*/a%2Ab'], 'https://git.example.com/shop/axb', false],
  [['https://git.example.com/*/a%2Ab'], 'https://git.example.com/shop/a*b', true],
  [['git@git.example.com:shop/*'], 'ssh://git@git.example.com:22/shop/deploy.git', true],
  [['ssh://git@*.example.com/shop/*'], 'git@git.example.com:~/shop/deploy', true],
  [['git@git.example.com:shop/*'], 'ada@git.example.com:shop/deploy', false],
  [['*@git.example.com/shop/*'], 'ada@git.example.com:shop/deploy', true],
  [['https://git.example.com/shop/*'], 'git@git.example.com:shop/deploy', false],
];

/** What the project permits or forbids, and addresses elsewhere that look like it, or that are spelled in another way. */
const evasions: readonly [patterns: readonly string[], urls: readonly string[]][] = [
  [
    ['https://git.example.com/team-a/*', 'https://git.example.com/team-a/**'],
    [
      'https://git.example.com/team-a/..\\team-b\\secret',
      'https://git.example.com/team-a/../team-b/secret',
      'https://git.example.com/team-a/%2e%2e/team-b/secret',
      'https://git.example.com/team-a/%2E./team-b/secret',
      'https://git.example.com/team-a/..%2fteam-b%2fsecret',
      'https://git.example.com/team-a/..;/team-b/secret',
    ],
  ],
  [
    ['ssh://git@git.example.com/team-a/**'],
    ['ssh://git@git.example.com/team-a/..%2fteam-b/secret', 'git@git.example.com:team-a/../team-b'],
  ],
  [
    ['https://*.example.com/*'],
    [
      'https://evil.example\\x.example.com/repo',
      'https://evil.example/x.example.com/repo',
      'https://x.example.com@evil.example/repo',
      'https://evil.example#.example.com/repo',
    ],
  ],
  [
    ['*', '!https://git.example.com/secret/*'],
    [
      'https://git.example.com/secret/repo/',
      'https://git.example.com//secret/repo',
      'https://git.example.com/secret//repo.git//',
      'https://git.example.com:443/secret/repo',
      'https://git.example.com:/secret/repo',
      'https://u@git.example.com/secret/repo',
      'https://u:p@git.example.com/secret/repo',
      'https://git.example.com./secret/repo',
      'https://git.example.com/%73ecret/repo',
      'https://git.example.com/SECRET/repo',
      'https://git.example.com/secret/repo/.git',
      'https://git.example.com/secret/%72epo%2Egit',
      'HTTPS://GIT.example.com/secret/repo.git',
    ],
  ],
  [
    ['*', '!https://127.0.0.1/*'],
    ['https://0x7f.1/repo', 'https://2130706433/repo', 'https://127.1/repo'],
  ],
  [
    ['*', '!git@git.example.com:secret/*'],
    [
      'ssh://git@git.example.com/secret/repo',
      'ssh://git.example.com:22/secret/repo',
      'ada@git.example.com:secret/repo',
      'git.example.com:secret/repo',
      'git@git.example.com:~/secret/repo',
      'git@git.example.com:/secret//repo/',
      'ssh://git@git.example.com/~git/%73ecret/repo',
      'git+ssh://git@git.example.com/secret/repo',
    ],
  ],
];

for (const [sourceRepos, urls] of evasions) {
  for (const url of urls) {
    test(`${url} is no way around ${sourceRepos}`, () =>
      assert.equal(sourcePermitted(project({ sourceRepos }), url), false));
  }
}

for (const [sourceRepos, url, expected] of sources) {
  test(`${url} ${expected ? 'is' : 'is not'} permitted by ${sourceRepos}`, () => {
    assert.equal(sourcePermitted(project(sourceRepos === undefined ? {} : { sourceRepos }), url), expected);
  });
}

const east = 'https://east.example.com';

const places: readonly [spec: AppProjectSpec, destination: Destination, expected: boolean][] = [
  [{}, { server: east, namespace: 'shop' }, false],
  [{ destinations: [{ server: '*', namespace: '*' }] }, { server: east, namespace: 'shop' }, true],
  [{ destinations: [{ server: '*', namespace: '*' }] }, { server: east }, true],
  [{ destinations: [{ server: east, namespace: 'shop-*' }] }, { server: east, namespace: 'shop-dev' }, true],
  [{ destinations: [{ server: east, namespace: 'shop-*' }] }, { server: east, namespace: 'bank' }, false],
  [
    { destinations: [{ server: east, namespace: 'shop' }] },
    { server: 'https://west.example.com', namespace: 'shop' },
    false,
  ],
  [{ destinations: [{ name: 'east', namespace: '*' }] }, { server: east, name: 'east', namespace: 'shop' }, true],
  [
    { destinations: [{ name: 'in-cluster', namespace: '*' }] },
    { server: 'https://kubernetes.default.svc', namespace: 'x' },
    true,
  ],
  [
    { destinations: [{ server: 'https://kubernetes.default.svc', namespace: '*' }] },
    { name: 'in-cluster', namespace: 'x' },
    true,
  ],
  [
    {
      destinations: [
        { server: '*', namespace: '*' },
        { server: '*', namespace: '!kube-system' },
      ],
    },
    { server: east, namespace: 'kube-system' },
    false,
  ],
  [
    {
      destinations: [
        { server: '*', namespace: '*' },
        { server: '*', namespace: '!kube-system' },
      ],
    },
    { server: east, namespace: 'shop' },
    true,
  ],
  [
    {
      destinations: [
        { server: '*', namespace: '*' },
        { server: `!${east}`, namespace: '*' },
      ],
    },
    { server: east, namespace: 'shop' },
    false,
  ],
  [
    { destinations: [{ server: '*', namespace: '*' }], permitOnlyProjectScopedClusters: true },
    { server: east, namespace: 'shop' },
    false,
  ],
  [
    { destinations: [{ server: '*', namespace: '*' }], permitOnlyProjectScopedClusters: true },
    { server: east, namespace: 'shop', project: 'shop' },
    true,
  ],
];

for (const [spec, destination, expected] of places) {
  test(`${JSON.stringify(destination)} ${expected ? 'is' : 'is not'} permitted by ${JSON.stringify(spec)}`, () => {
    assert.equal(destinationPermitted(project(spec), destination), expected);
  });
}

const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', namespace: '', name: 'reader' };
const quota = { group: '', kind: 'ResourceQuota', namespace: 'shop', name: 'quota' };

const kinds: readonly [spec: AppProjectSpec, key: typeof role, expected: boolean][] = [
  [{}, role, false],
  [{ clusterResourceWhitelist: [{ group: '*', kind: '*' }] }, role, true],
  [{ clusterResourceWhitelist: [{ group: '', kind: 'Namespace' }] }, role, false],
  [{ clusterResourceWhitelist: [{ group: '*.k8s.io', kind: 'Cluster*', name: 'read*' }] }, role, true],
  [{ clusterResourceWhitelist: [{ group: '*', kind: '*', name: 'admin' }] }, role, false],
  [
    {
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      clusterResourceBlacklist: [{ group: '*', kind: 'ClusterRole' }],
    },
    role,
    false,
  ],
  [{}, quota, true],
  [{ namespaceResourceBlacklist: [{ group: '', kind: 'ResourceQuota' }] }, quota, false],
  [{ namespaceResourceWhitelist: [{ group: 'apps', kind: '*' }] }, quota, false],
  [{ namespaceResourceWhitelist: [] }, quota, false],
  [{ namespaceResourceWhitelist: [{ group: '', kind: '*' }] }, quota, true],
];

for (const [spec, key, expected] of kinds) {
  test(`${key.kind} ${expected ? 'is' : 'is not'} permitted by ${JSON.stringify(spec)}`, () => {
    const scope = key === role ? 'Cluster' : 'Namespaced';
    const everywhere = { ...spec, destinations: [{ server: '*', namespace: '*' }] };
    assert.equal(forbiddenBy(project(everywhere), { key, scope }, { server: east }) === undefined, expected);
  });
}

test('what is forbidden says so in the words of Argo CD', () => {
  const none = project({ namespaceResourceBlacklist: [{ group: '', kind: 'ResourceQuota' }] });
  assert.match(
    forbiddenBy(none, { key: quota, scope: 'Namespaced' }, { server: east }) ?? '',
    /^resource :ResourceQuota is not permitted in project shop; see namespaceResourceWhitelist/,
  );
  assert.match(
    forbiddenBy(none, { key: role, scope: 'Cluster' }, { server: east }) ?? '',
    /^resource rbac\.authorization\.k8s\.io:ClusterRole is not permitted in project shop; see clusterResourceWhitelist/,
  );
  const elsewhere = project({ destinations: [{ server: east, namespace: 'shop-dev' }] });
  assert.match(
    forbiddenBy(elsewhere, { key: quota, scope: 'Namespaced' }, { server: east }) ?? '',
    /^namespace shop is not permitted in project 'shop'; add it to destinations/,
  );
  const roles = project({
    clusterResourceWhitelist: [{ group: '*', kind: 'ClusterRole' }],
    destinations: [{ server: 'https://west.example.com', namespace: '*' }],
  });
  assert.match(
    forbiddenBy(roles, { key: role, scope: 'Cluster' }, { server: east, namespace: 'shop' }) ?? '',
    /^destination server 'https:\/\/east\.example\.com' and namespace 'shop', which ClusterRole reader is for, is not permitted in project 'shop'; add it/,
  );
});

const generated: readonly [
  list: 'clusterResourceWhitelist' | 'clusterResourceBlacklist',
  name: string,
  generateName: string,
  expected: boolean,
][] = [
  ['clusterResourceBlacklist', 'kube-*', 'kube-', false],
  ['clusterResourceBlacklist', 'kube-*', 'ku', false],
  ['clusterResourceBlacklist', 'kube-system', 'kube-', false],
  ['clusterResourceBlacklist', 'kube-*', 'shop-', true],
  ['clusterResourceWhitelist', 'shop-*', 'shop-', true],
  ['clusterResourceWhitelist', 'shop-*', 'shop-migrate-', true],
  ['clusterResourceWhitelist', 'shop-*', 'shop', false],
  ['clusterResourceWhitelist', 'shop-?', 'shop-', false],
];

for (const [list, name, generateName, expected] of generated) {
  test(`a name that begins with ${generateName} ${expected ? 'is' : 'is not'} permitted by ${list} ${name}`, () => {
    const spec = {
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      [list]: [{ group: '*', kind: '*', name }],
    };
    const key = { ...role, name: '' };
    const why = forbiddenBy(project(spec), { key, scope: 'Cluster', generateName }, { server: east });
    assert.equal(why === undefined, expected, why ?? 'permitted');
  });
}
