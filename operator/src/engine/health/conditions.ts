import { isJsonObject, listAt, textAt } from '../../model/json.ts';

/** One entry of `status.conditions`; absent texts are `''`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The conditions of an object, in its order. */
export function conditionsOf(object: unknown): readonly Condition[] {
  return listAt(object, 'status', 'conditions').filter(isJsonObject).map(conditionFrom);
}

/** The first condition of a type. */
export function conditionOf(object: unknown, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

export function conditionFrom(value: unknown): Condition {
  const text = (field: string) => textAt(value, field) ?? '';
  return { type: text('type'), status: text('status'), reason: text('reason'), message: text('message') };
}
