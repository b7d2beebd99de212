import { messageOf } from '../../model/fault.ts';
import type { Leadership } from '../../world/leadership.ts';
import type { Log } from '../../world/telemetry.ts';
import type { Delivery } from './host.ts';

export interface WebhookAnswer {
  readonly status: number;
  readonly body: string;
}

/** What becomes of a delivery. */
export interface DeliveryWays {
  /** Takes it here. */
  receive(delivery: Delivery): Promise<WebhookAnswer>;
  /** Has the replica at this address take it. Throws where it cannot be reached. */
  handOn(address: string): Promise<WebhookAnswer>;
  /** Whether another replica has handed it on already. */
  readonly isHandedOn: boolean;
  readonly log: Log;
}

const accepted: WebhookAnswer = {
  status: 202,
  body: 'no replica leads at this moment; the one that takes the lead asks every repository\n',
};

/**
 * Takes a delivery where this replica leads, and hands it to the leader where it does not, once and no further. Where nobody leads there is nothing to do: whoever
 * takes the lead asks every repository for its revisions.
 */
export async function deliver(delivery: Delivery, leadership: Leadership, ways: DeliveryWays): Promise<WebhookAnswer> {
  if (leadership.leads()) return ways.receive(delivery);
  const leader = leadership.leader();
  if (leader === undefined || ways.isHandedOn) return accepted;
  const { name, address } = leader;
  try {
    if (address === undefined) throw new Error('it has written no address into the Lease; set POD_IP');
    return await ways.handOn(address);
  } catch (thrown) {
    ways.log.warn({ leader: name, address, error: messageOf(thrown) }, 'a webhook could not be handed to the leader');
    return { status: 502, body: 'the replica that leads could not be reached; send it again\n' };
  }
}
