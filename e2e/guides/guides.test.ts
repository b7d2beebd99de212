import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage } from '../../image/build.ts';
import { buildHelm, type Cluster, startCluster } from '../cluster/cluster.ts';
import { type GitServer, startGitServer } from '../git-server/git-server.ts';
import { stepsOf } from './guide.ts';
import { createPlace, type Place } from './place.ts';

/** In the order in which a reader goes through them: each builds on those before. */
const guides = ['install', 'repositories-and-clusters', 'repository-layout', 'app-of-apps', 'troubleshooting'];
const repositories = ['first', 'shop', 'fleet'];
const others = ['cluster-01', 'cluster-02', 'cluster-03', 'cluster-04'];
const user = { name: 'mooring', password: 'a-token-of-the-git-host' };
const undo: (() => Promise<unknown>)[] = [];
let place: Place;
let git: GitServer;

const tell = (line: string): void => console.log(`# ${line}`);

before(async () => {
  const helm = await buildHelm(tell);
  const { archive } = await buildImage({ onProgress: tell });
  const start = async (name: string, node: 'real' | 'none'): Promise<Cluster> => {
    const cluster = await startCluster({ name: `guides-${name}`, node, reachable: true });
    undo.push(() => cluster.stop());
    return cluster;
  };
  const hub = await start('hub', 'real');
  await hub.loadImage(archive);
  const clusters: Record<string, Cluster> = {};
  for (const name of others) clusters[name] = await start(name, 'none');
  git = await startGitServer({ host: hub.pods?.gateway ?? '', users: { [user.name]: user.password } });
  undo.push(() => git.close());
  for (const name of repositories) await git.createRepository(`team/${name}`);
  await (await git.createRepository('team/first')).commit({
    files: { 'greeting.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: greeting}\ndata: {word: hello}\n' },
    message: 'first',
  });
  place = await createPlace({ hub, others: clusters, git, user, helm });
  undo.push(() => place.remove());
});

after(async () => {
  for (const step of undo.reverse()) await step();
});

for (const name of guides) {
  test(`what docs/${name}.md says works, command by command`, async () => {
    const page = await readFile(fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)), 'utf8');
    const steps = stepsOf(page);
    assert.ok(steps.some(({ kind }) => kind === 'run'));
    for (const step of steps) {
      if (step.kind === 'leave') tell(`docs/${name}.md line ${step.line} is not run: ${step.why}`);
      await place.follow(step);
    }
  });
}
