import { createHash, timingSafeEqual } from 'node:crypto';
import { addresses, memberAt, parseBody, type WebhookHost } from './host.ts';

const pushEvents = new Set(['Push Hook', 'Tag Push Hook', 'System Hook']);

/** GitLab: `X-Gitlab-Event`, with the secret itself in `X-Gitlab-Token`. */
export const gitlab: WebhookHost = {
  name: 'gitlab',
  recognizes: ({ headers }) => headers['x-gitlab-event'] !== undefined,
  read({ headers, body }, secrets) {
    const secret = secrets['gitlab.secret'];
    if (secret !== undefined && !isSame(headers['x-gitlab-token'] ?? '', secret)) {
      return { kind: 'refused', status: 401, reason: 'the token does not fit webhook.gitlab.secret' };
    }
    const event = headers['x-gitlab-event'] ?? '';
    if (!pushEvents.has(event)) return { kind: 'ignored', reason: `the event ${event} changes no branch` };
    const payload = parseBody(body);
    const urls = addresses(
      memberAt(payload, 'project', 'git_http_url'),
      memberAt(payload, 'project', 'web_url'),
      memberAt(payload, 'project', 'git_ssh_url'),
    );
    if (urls.length === 0) return { kind: 'refused', status: 400, reason: 'the payload names no project' };
    return { kind: 'push', push: { urls } };
  },
};

/** Compares in a time that tells nothing of the secret, whatever the lengths. */
function isSame(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(secret));
}
