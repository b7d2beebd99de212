import type { KubeObject } from '@mooring/renderer-contract';
import type { Health, HealthStatusCode } from '../../model/health.ts';
import { ownValue, textAt } from '../../model/json.ts';
import type { HealthCheck } from './check.ts';
import { conditionsOf } from './conditions.ts';

/** A status, with the condition's message; or a whole verdict with a message of its own. */
export type Verdict = HealthStatusCode | Health;

/** Verdicts by `Type=Status` of a condition, or by `Type=Status/Reason` where only that reason counts. */
export type ConditionVerdicts = Readonly<Record<string, Verdict>>;

/** What most controllers mean by their condition `Ready`. */
export const ready: ConditionVerdicts = { 'Ready=False': 'Degraded', 'Ready=True': 'Healthy' };

/**
 * A check that goes by `status.conditions`: the first condition, in the object's order, that a group of verdicts knows decides; later groups are only
 * asked where earlier ones know none. `otherwise` where no condition is known.
 */
export function byConditions(groups: readonly ConditionVerdicts[], otherwise: Health): HealthCheck {
  return (object) => {
    const conditions = conditionsOf(object);
    for (const verdicts of groups) {
      for (const { type, status, reason, message } of conditions) {
        const verdict = ownValue(verdicts, `${type}=${status}/${reason}`) ?? ownValue(verdicts, `${type}=${status}`);
        if (verdict !== undefined) return typeof verdict === 'string' ? withMessage(verdict, message) : verdict;
      }
    }
    return otherwise;
  };
}

/** A check that goes by one text of the status, such as its phase. `otherwise` where it is absent or unknown. */
export function byPhase(field: string, verdicts: Readonly<Record<string, Health>>, otherwise: Health): HealthCheck {
  return (object) => {
    const phase = textAt(object, 'status', field);
    return (phase === undefined ? undefined : ownValue(verdicts, phase)) ?? otherwise;
  };
}

/** `status.message`, where the object has one. */
export function statusMessage(object: KubeObject, otherwise: string): string {
  return textAt(object, 'status', 'message') ?? otherwise;
}

function withMessage(status: HealthStatusCode, message: string): Health {
  return message === '' ? { status } : { status, message };
}
