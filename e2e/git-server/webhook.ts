import { createHash, createHmac, randomUUID } from 'node:crypto';
import { type Author, type Changes, NO_COMMIT } from './git-repository.ts';

const MAX_ANSWER_CHARS = 64 * 1024;

/** What one push changed, in no host's words. */
export type Push = {
  /** The clone URL, as an Application's `repoURL` has it. */
  repoURL: string;
  /** `refs/heads/…` or `refs/tags/…` */
  ref: string;
  /** Commit ids; `NO_COMMIT` before a new branch and after a deleted one. */
  before: string;
  after: string;
  changes: Changes;
  message?: string;
  author?: Author;
  /** Default: main. */
  defaultBranch?: string;
  /** What the host and the receiver share: GitHub signs the body with it, GitLab sends it. */
  secret?: string;
};

export type Webhook = { headers: Record<string, string>; body: string };

/** GitHub's `push` delivery, signed when there is a secret (GitHub's pages "Webhook events and payloads" and "Validating webhook deliveries"). */
export function githubPush(push: Push): Webhook {
  const { ref, before, after, changes, secret } = push;
  const { web, clone, ssh, owner, name, path, id } = describe(push.repoURL);
  const { author, message, date, created, deleted } = describePush(push);
  const user = { name: author.name, email: author.email, username: author.name };
  const account = {
    login: owner,
    id: numberOf(owner),
    type: 'Organization',
    site_admin: false,
    html_url: parentOf(web),
  };
  const commit = {
    id: after,
    tree_id: createHash('sha1').update(after).digest('hex'),
    distinct: true,
    message,
    timestamp: date,
    url: `${web}/commit/${after}`,
    author: user,
    committer: user,
    ...changes,
  };
  const body = JSON.stringify({
    ref,
    before,
    after,
    created,
    deleted,
    forced: false,
    base_ref: null,
    compare: `${web}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
    commits: deleted ? [] : [commit],
    head_commit: deleted ? null : commit,
    pusher: { name: author.name, email: author.email },
    sender: { login: author.name, id: numberOf(author.email), type: 'User', site_admin: false },
    repository: {
      id,
      name,
      full_name: path,
      private: false,
      fork: false,
      owner: { ...account, name: owner },
      organization: owner,
      html_url: web,
      url: web,
      clone_url: clone,
      git_url: clone.replace(/^https?:/, 'git:'),
      ssh_url: ssh,
      svn_url: web,
      default_branch: push.defaultBranch ?? 'main',
      master_branch: push.defaultBranch ?? 'main',
      visibility: 'public',
    },
  });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/0000000',
    'x-github-event': 'push',
    'x-github-delivery': randomUUID(),
    'x-github-hook-id': '1',
    'x-github-hook-installation-target-id': String(id),
    'x-github-hook-installation-target-type': 'repository',
  };
  if (secret !== undefined) {
    headers['x-hub-signature'] = `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`;
    headers['x-hub-signature-256'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  }
  return { headers, body };
}

/** GitLab's push or tag push delivery, with the secret as its token (GitLab's page "Webhook events"). */
export function gitlabPush(push: Push): Webhook {
  const { ref, before, after, changes, secret } = push;
  const { origin, web, clone, ssh, owner, name, path, id } = describe(push.repoURL);
  const { author, message, date, deleted } = describePush(push);
  const isTag = ref.startsWith('refs/tags/');
  const commit = {
    id: after,
    message,
    title: message.split('\n', 1)[0],
    timestamp: date,
    url: `${web}/-/commit/${after}`,
    author: { name: author.name, email: author.email },
    ...changes,
  };
  const kind = isTag ? 'tag_push' : 'push';
  const body = JSON.stringify({
    object_kind: kind,
    event_name: kind,
    before,
    after,
    ref,
    ref_protected: true,
    checkout_sha: deleted ? null : after,
    message: null,
    user_id: numberOf(author.email),
    user_name: author.name,
    user_username: author.name.toLowerCase(),
    user_email: author.email,
    user_avatar: null,
    project_id: id,
    project: {
      id,
      name,
      description: '',
      web_url: web,
      avatar_url: null,
      git_ssh_url: ssh,
      git_http_url: clone,
      namespace: owner,
      visibility_level: 0,
      path_with_namespace: path,
      default_branch: push.defaultBranch ?? 'main',
      ci_config_path: null,
      homepage: web,
      url: ssh,
      ssh_url: ssh,
      http_url: clone,
    },
    commits: deleted ? [] : [commit],
    total_commits_count: deleted ? 0 : 1,
    push_options: {},
    repository: {
      name,
      url: ssh,
      description: '',
      homepage: web,
      git_http_url: clone,
      git_ssh_url: ssh,
      visibility_level: 0,
    },
  });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'GitLab/18.0.0',
    'x-gitlab-event': isTag ? 'Tag Push Hook' : 'Push Hook',
    'x-gitlab-event-uuid': randomUUID(),
    'x-gitlab-webhook-uuid': randomUUID(),
    'x-gitlab-instance': origin,
    'idempotency-key': randomUUID(),
  };
  if (secret !== undefined) headers['x-gitlab-token'] = secret;
  return { headers, body };
}

export type WebhookAnswer = { status: number; body: string; ms: number };

/** Delivers a webhook. Throws when the receiver cannot be reached or takes longer than `timeoutMs`, default 10 s as GitHub has it. */
export async function sendWebhook(
  url: string,
  { headers, body }: Webhook,
  { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
): Promise<WebhookAnswer> {
  const start = performance.now();
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) });
  const text = await answer.text();
  return { status: answer.status, body: text.slice(0, MAX_ANSWER_CHARS), ms: performance.now() - start };
}

type Names = {
  origin: string;
  web: string;
  clone: string;
  ssh: string;
  owner: string;
  name: string;
  path: string;
  id: number;
};

/** The names and URLs a host would give the repository. One without an owner in its URL gets the owner `git`. */
function describe(repoURL: string): Names {
  const { origin, hostname, pathname } = new URL(repoURL);
  const parts = pathname
    .replace(/\.git$/, '')
    .split('/')
    .filter(Boolean);
  const name = parts.at(-1);
  if (name === undefined) throw new Error(`${repoURL} names no repository`);
  const owner = parts.slice(0, -1).join('/') || 'git';
  const web = `${origin}/${parts.join('/')}`;
  const path = `${owner}/${name}`;
  return {
    origin,
    web,
    clone: `${web}.git`,
    ssh: `git@${hostname}:${path}.git`,
    owner,
    name,
    path,
    id: numberOf(path),
  };
}

type PushDetails = { author: Author; message: string; date: string; created: boolean; deleted: boolean };

function describePush({ before, after, author, message }: Push): PushDetails {
  const who = author ?? { name: 'Mooring', email: 'mooring@example.com' };
  return {
    author: who,
    message: message ?? 'a change',
    date: (who.date ?? new Date()).toISOString(),
    created: before === NO_COMMIT,
    deleted: after === NO_COMMIT,
  };
}

function parentOf(web: string): string {
  return web.slice(0, web.lastIndexOf('/'));
}

/** A number such as hosts give to things, the same for the same text. */
function numberOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) >>> 1;
}
