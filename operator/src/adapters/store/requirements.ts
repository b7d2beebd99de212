import { Fault, messageOf } from '../../model/fault.ts';
import type { Problem, Report } from '../../world/readiness.ts';
import type { Log } from '../../world/telemetry.ts';
import type { KubeClient, KubeContext } from '../kube/client.ts';
import { lookAtDefinitions } from './definitions.ts';
import { missingPermissions, type Purpose } from './permissions.ts';

/** Looks at what the API server must allow and serve, until it does. */
export interface Requirements {
  /** Whether Mooring's objects are served in a way that can be worked with, as far as is known. */
  isUsable(): boolean;
  /** Looks now: something has changed. */
  look(): void;
  /** Something was refused. It may be for another reason, so that it is not worth a look each time. */
  refused(): void;
  stop(): void;
}

export interface RequirementsOptions extends KubeContext {
  readonly log: Log;
  readonly namespace: string;
  readonly purpose: Purpose;
  readonly report: Report;
  /** What a watch was refused, if any was, over and over. */
  refusal(): Fault | undefined;
  /** After each look that got an answer. */
  looked(): void;
}

/** Reports `permissions` and `crds`; while either is not as it must be, it looks again, from `startRetryFirstMs` to `startRetryLastMs` later. */
export function createRequirements(client: KubeClient, options: RequirementsOptions): Requirements {
  const { namespace, purpose, clock, limits, report, log } = options;
  let usable = false;
  let failures = 0;
  /** What the last look found. */
  let found = '';
  let looking: Promise<void> | undefined;
  let again = false;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let cancel: (() => void) | undefined;

  function look(): void {
    if (stopped) return;
    cancel?.();
    again = looking !== undefined;
    looking ??= lookOnce().finally(() => {
      looking = undefined;
      if (again) look();
    });
  }

  function lookAnew(): void {
    failures = 0;
    look();
  }

  async function lookOnce(): Promise<void> {
    let isWell = false;
    const before = found;
    lookedAt = clock.now();
    try {
      const [asked, definitions] = await Promise.all([
        missingPermissions(client, namespace, purpose),
        lookAtDefinitions(client, namespace, purpose),
      ]);
      if (stopped) return;
      const refusal = options.refusal();
      const missing = asked === 'unknown' ? refusal && refusedBy(refusal, 'grant it') : asked;
      usable = definitions.usable;
      report('permissions', missing === undefined ? [] : [missing]);
      report('crds', definitions.problems);
      const problems = [...(missing === undefined ? [] : [missing]), ...definitions.problems];
      isWell = problems.length === 0;
      found = problems.map(({ message }) => message).join('\n');
      options.looked();
    } catch (thrown) {
      // An API server that does not answer is told of by the watches.
      const fields = { error: messageOf(thrown) };
      if (thrown instanceof Fault && thrown.data['httpStatus'] === 403)
        report('permissions', [refusedBy(thrown, 'bind the account to the ClusterRole system:discovery')]);
      else if (thrown instanceof Fault)
        log.debug(fields, 'what the API server allows and serves could not be looked at');
      else log.error(fields, 'a bug kept what the API server allows and serves from being looked at');
    }
    if (stopped) return;
    // Where something has changed somebody is at work on it.
    failures = found === before ? failures + 1 : 1;
    const waitMs = Math.min(limits.startRetryLastMs, limits.startRetryFirstMs * 2 ** (failures - 1));
    if (!isWell) cancel = clock.after(waitMs, look);
  }

  return {
    isUsable: () => usable,
    look: lookAnew,
    refused: () => {
      if (clock.now() - lookedAt >= limits.startRetryLastMs) lookAnew();
    },
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}

function refusedBy({ message }: Fault, advice: string): Problem {
  return { reason: 'PermissionsMissing', message: `${message}: ${advice}` };
}
