import { createHash, timingSafeEqual } from 'node:crypto';
import { pushTo, type WebhookHost } from './host.ts';
import { textsIn } from './payload.ts';

const pushEvents = new Set(['Push Hook', 'Tag Push Hook', 'System Hook']);

/** GitLab: `X-Gitlab-Event`, with the secret itself in `X-Gitlab-Token`. */
export const gitlab: WebhookHost = {
  name: 'gitlab',
  secretKey: 'gitlab.secret',
  recognizes: ({ headers }) => headers['x-gitlab-event'] !== undefined,
  isAuthentic: ({ headers }, secret) => isSame(headers['x-gitlab-token'] ?? '', secret),
  async read({ headers, body }) {
    const event = headers['x-gitlab-event'] ?? '';
    if (!pushEvents.has(event)) return { kind: 'ignored', reason: `the event ${event} changes no branch` };
    return pushTo(await textsIn(body, 'project', ['git_http_url', 'web_url', 'git_ssh_url']), 'project');
  },
};

/** Compares in a time that tells nothing of the secret, whatever the lengths. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
