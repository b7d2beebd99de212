import type { KubeObject } from '@mooring/renderer-contract';
import { ownValue } from '../../../model/json.ts';
import { versionOf } from '../../../model/resource-key.ts';
import { degraded, type HealthCheck, healthy, progressing, unknown } from '../check.ts';
import { type Condition, conditionFrom, conditionsOf } from '../conditions.ts';

const failures: Readonly<Record<string, readonly string[]>> = {
  AbleToScale: ['FailedGetScale', 'FailedUpdateScale'],
  ScalingActive: [
    'FailedGetResourceMetric',
    'FailedGetObjectMetric',
    'FailedGetPodsMetric',
    'FailedGetExternalMetric',
    'FailedComputeMetricsReplicas',
    'InvalidSelector',
  ],
};

export const horizontalPodAutoscaler: HealthCheck = (object) => {
  const conditions = versionOf(object.apiVersion) === 'v1' ? annotatedConditions(object) : conditionsOf(object);
  if (conditions === undefined) {
    return unknown(`failed to convert conditions annotation to typed: ${conditionsAnnotation} is not a JSON list`);
  }
  const failed = conditions.find(({ type, reason }) => ownValue(failures, type)?.includes(reason));
  if (failed !== undefined) return degraded(failed.message);
  const able = conditions.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  );
  return able === undefined ? progressing('Waiting to Autoscale') : healthy(able.message);
};

const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';

/** Version v1 has its conditions as JSON in an annotation; undefined where that cannot be read. */
function annotatedConditions(object: KubeObject): readonly Condition[] | undefined {
  const text = object.metadata.annotations?.[conditionsAnnotation];
  if (text === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed.map(conditionFrom) : undefined;
  } catch {
    return undefined;
  }
}
