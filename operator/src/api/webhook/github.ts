import { createHmac, timingSafeEqual } from 'node:crypto';
import { addresses, memberAt, parseBody, type WebhookHost } from './host.ts';

/** GitHub: `X-GitHub-Event`, signed with HMAC-SHA256 in `X-Hub-Signature-256` over the body. */
export const github: WebhookHost = {
  name: 'github',
  recognizes: ({ headers }) => headers['x-github-event'] !== undefined,
  read({ headers, body }, secrets) {
    const secret = secrets['github.secret'];
    if (secret !== undefined && !isSigned(body, secret, headers['x-hub-signature-256'] ?? '')) {
      return { kind: 'refused', status: 401, reason: 'the signature does not fit webhook.github.secret' };
    }
    const event = headers['x-github-event'];
    if (event !== 'push') return { kind: 'ignored', reason: `the event ${event} changes no branch` };
    const payload = parseBody(body);
    const urls = addresses(
      memberAt(payload, 'repository', 'clone_url'),
      memberAt(payload, 'repository', 'html_url'),
      memberAt(payload, 'repository', 'ssh_url'),
      memberAt(payload, 'repository', 'git_url'),
    );
    if (urls.length === 0) return { kind: 'refused', status: 400, reason: 'the payload names no repository' };
    return { kind: 'push', push: { urls } };
  },
};

function isSigned(body: Uint8Array, secret: string, signature: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
