import { Fault, messageOf } from '../model/fault.ts';
import { operatorLimits } from '../model/limits.ts';
import type { Leadership } from '../world/leadership.ts';
import type { World } from '../world/world.ts';

/** The lead as the controllers see it: a replica acts once it leads and has seen all that the last leader wrote. */
export interface Lead {
  readonly leadership: Leadership;
  /** The lead for one pass: what began while another replica acted has seen too little to be carried on by this one. */
  ofPass(): Leadership;
  stop(): void;
}

/**
 * Follows who leads. Between two leaders the views of the new one may be behind what the old one wrote last: the Applications are read again before anything
 * is decided about them, and objects are written over as they were seen or not at all. A replica that leads from the start has just read everything. `begun` is
 * called when this replica acts from then on: what the last leader has left is for it to find.
 */
export function followLead(world: World, begun: () => void): Lead {
  const { leadership, store, clock } = world;
  const { log } = world.telemetry;
  let acts = leadership.leads();
  let term = 0;

  /** Nobody waits for a takeover: what is thrown on would end the process. */
  const tell = (thrown: unknown, message: string): void => {
    if (thrown instanceof Fault) log.warn({ error: messageOf(thrown) }, message);
    else log.error({ error: messageOf(thrown) }, `a bug: ${message}`);
  };

  const takeOver = async (mine: number): Promise<void> => {
    try {
      await store.refresh();
    } catch (thrown) {
      if (mine !== term) return;
      tell(thrown, 'the lead cannot be taken over yet');
      clock.after(operatorLimits.backoffFirstMs, () => {
        if (mine === term) void takeOver(mine);
      });
      return;
    }
    if (mine !== term) return;
    acts = true;
    begun();
  };

  const stop = leadership.subscribe((leads) => {
    term += 1;
    acts = false;
    if (leads) void takeOver(term);
  });
  const leads = (): boolean => acts && leadership.leads();
  return {
    leadership: { ...leadership, leads },
    ofPass() {
      const begunIn = acts ? term : undefined;
      return { ...leadership, leads: () => begunIn === term && leads() };
    },
    stop() {
      term += 1;
      stop();
    },
  };
}
