import { messageOf } from '../../model/fault.ts';
import type { Leadership } from '../../world/leadership.ts';
import type { Log } from '../../world/telemetry.ts';
import type { News } from './news.ts';

export interface WebhookAnswer {
  readonly status: number;
  readonly body: string;
}

/** What becomes of news. */
export interface DeliveryWays {
  /** Has the repositories looked at here. */
  announce(news: News): WebhookAnswer;
  /** Has the replica at this address announce them. Throws where it cannot be reached. */
  handOn(address: string, news: News): Promise<WebhookAnswer>;
  readonly log: Log;
}

/** What is answered where nobody leads: whoever takes the lead asks every repository for its revisions. */
export const nobodyLeads: WebhookAnswer = {
  status: 202,
  body: 'no replica leads at this moment; the one that takes the lead asks every repository\n',
};

/** Announces news where this replica leads, and hands them to the leader where it does not. */
export async function deliver(news: News, leadership: Leadership, ways: DeliveryWays): Promise<WebhookAnswer> {
  if (leadership.leads() || leadership.isReadOnly) return ways.announce(news);
  const leader = leadership.leader();
  if (leader === undefined) return nobodyLeads;
  const { name, address } = leader;
  try {
    if (address === undefined) throw new Error('it has written no address into the Lease; set POD_IP');
    const answer = await ways.handOn(address, news);
    if (answer.status >= 400) throw new Error(`it answered ${answer.status}: ${answer.body.trim()}`);
    return answer;
  } catch (thrown) {
    ways.log.warn({ leader: name, address, error: messageOf(thrown) }, 'a webhook could not be handed to the leader');
    return { status: 502, body: 'the replica that leads could not be reached; send it again\n' };
  }
}

/** Takes what another replica has handed on, and hands it on no further; undefined are news that do not fit the webhook secrets. */
export function takeHandedOn(
  news: News | undefined,
  leadership: Leadership,
  { announce }: Pick<DeliveryWays, 'announce'>,
): WebhookAnswer {
  if (news === undefined) return { status: 401, body: 'this does not fit the webhook secrets of argocd-secret here\n' };
  return leadership.leads() ? announce(news) : nobodyLeads;
}
