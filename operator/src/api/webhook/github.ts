import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Delivery, pushTo, type WebhookHost } from './host.ts';
import { fieldOf, textsIn } from './payload.ts';

/** GitHub: `X-GitHub-Event`, signed with HMAC-SHA256 in `X-Hub-Signature-256` over the body. */
export const github: WebhookHost = {
  name: 'github',
  secretKey: 'github.secret',
  recognizes: ({ headers }) => headers['x-github-event'] !== undefined,
  isAuthentic({ headers, body }, secret) {
    const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
    const given = Buffer.from(headers['x-hub-signature-256'] ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  },
  async read(delivery) {
    const event = delivery.headers['x-github-event'];
    if (event !== 'push') return { kind: 'ignored', reason: `the event ${event} changes no branch` };
    const names = ['clone_url', 'html_url', 'ssh_url', 'git_url'];
    return pushTo(await textsIn(await payloadOf(delivery), 'repository', names), 'repository');
  },
};

/** GitHub sends JSON, or a form with the JSON in its field `payload`: that is the content type it proposes. */
async function payloadOf({ headers, body }: Delivery): Promise<Uint8Array> {
  const isForm = headers['content-type']?.toLowerCase().startsWith('application/x-www-form-urlencoded') === true;
  return isForm ? fieldOf(body, 'payload') : body;
}
