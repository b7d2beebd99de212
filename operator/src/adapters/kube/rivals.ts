import type { KubeObject } from '@mooring/renderer-contract';
import { Fault, messageOf } from '../../model/fault.ts';
import type { Problem } from '../../world/readiness.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from './client.ts';
import type { Election } from './election.ts';
import { leases, readLease } from './lease.ts';
import { getObject, type KubeRequest, plainGet } from './request.ts';

/** Milliseconds between two looks; a controller that starts meanwhile and this one may both write for so long. */
export const lookEveryMs = 10_000;
/** The label of the pods of Argo CD's application controller, in its manifests and in its chart. Its API server and its other controllers write no objects of Applications. */
const argoController = 'app.kubernetes.io/name=argocd-application-controller';

export interface RivalsOptions extends KubeContext {
  readonly log: Log;
  readonly namespace: string;
  /** The Lease by which replicas of another Mooring agree; undefined where this one takes part in that itself. */
  readonly leaseName: string | undefined;
  /** Told after each look; a note where the account may not look. */
  report(problems: readonly Problem[], notes: readonly string[]): void;
}

/**
 * The election, held back while another controller looks after the same Applications: two would undo each other's work. Until the first look is answered this
 * replica does not lead. Where the account may not look it takes itself for alone, and says so.
 */
export function besideRivals(election: Election, client: KubeClient, options: RivalsOptions): Election {
  const { clock, namespace, leaseName, log, report } = options;
  let isAlone = false;
  let isClosed = false;
  let cancel: (() => void) | undefined;
  const listeners = new Set<(leads: boolean) => void>();
  const leads = (): boolean => isAlone && election.leads();

  async function look(): Promise<void> {
    const found = await Promise.all([pods(), holder()]);
    if (isClosed) return;
    const problems = found.filter((problem) => typeof problem === 'object');
    const was = leads();
    isAlone = problems.length === 0;
    report(
      problems,
      found.filter((note) => typeof note === 'string'),
    );
    if (leads() !== was) for (const listener of listeners) listener(leads());
  }

  async function pods(): Promise<Problem | string | undefined> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const query = {
      labelSelector: argoController,
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
      limit: '1',
    };
    const list = await ask({ ...plainGet(path), query });
    if (list === 'forbidden')
      return `its account may not list pods in ${namespace}, so that it is not known whether Argo CD's application controller runs there`;
    const [pod] = (list?.['items'] ?? []) as readonly KubeObject[];
    if (pod === undefined) return undefined;
    const { name = '' } = pod.metadata;
    return problemOf(
      `the pod ${name} of Argo CD's application controller runs in the namespace ${namespace}: scale it to 0 to let Mooring take over, or start Mooring with --read-only`,
    );
  }

  async function holder(): Promise<Problem | string | undefined> {
    if (leaseName === undefined) return undefined;
    const object = await ask(getObject(leases, { group: leases.group, kind: leases.kind, namespace, name: leaseName }));
    if (object === 'forbidden')
      return `its account may not get leases in ${namespace}, so that it is not known whether another Mooring runs there`;
    if (object === undefined) return undefined;
    const { holder: name, renewedAt, durationMs } = readLease(object);
    if (name === '' || renewedAt + durationMs < clock.now()) return undefined;
    return problemOf(
      `another Mooring, ${name}, holds the Lease ${leaseName} in the namespace ${namespace}: start this one with --leader-elect to take turns, or with --read-only`,
    );
  }

  /** The answer; undefined where there is no such thing. */
  async function ask(request: KubeRequest): Promise<KubeObject | 'forbidden' | undefined> {
    try {
      return (await client.send(request)) as KubeObject;
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      if (thrown.code === 'object-missing') return undefined;
      if (thrown.data['httpStatus'] === 403) return 'forbidden';
      throw thrown;
    }
  }

  function turn(): void {
    look()
      .catch((thrown: unknown) => {
        // What was known last holds on: nobody is reached who could be written to, either.
        const told = { error: messageOf(thrown) };
        if (thrown instanceof Fault) log.debug(told, 'whether another controller runs could not be looked at');
        else log.error(told, 'a bug kept from looking whether another controller runs');
      })
      .finally(() => {
        if (!isClosed) cancel = clock.after(lookEveryMs, turn);
      });
  }
  turn();

  const { fence } = election;
  const unsubscribe = election.subscribe((now) => {
    if (isAlone) for (const listener of listeners) listener(now);
  });
  return {
    ...election,
    leads,
    fence: {
      begin() {
        if (!isAlone)
          throw new Fault('not-leading', 'another controller is at work: what was about to be written is left out');
        return fence.begin();
      },
      idle: fence.idle,
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      isClosed = true;
      cancel?.();
      unsubscribe();
      await election.close();
    },
  };
}

function problemOf(message: string): Problem {
  return { reason: 'AnotherController', message: `${message}; until then nothing is written` };
}
