import { customResourceDefinition } from './apiextensions.k8s.io/CustomResourceDefinition.ts';
import { apiService } from './apiregistration.k8s.io/APIService.ts';
import { daemonSet } from './apps/DaemonSet.ts';
import { deployment } from './apps/Deployment.ts';
import { replicaSet } from './apps/ReplicaSet.ts';
import { statefulSet } from './apps/StatefulSet.ts';
import { application } from './argoproj.io/Application.ts';
import { workflow } from './argoproj.io/Workflow.ts';
import { horizontalPodAutoscaler } from './autoscaling/HorizontalPodAutoscaler.ts';
import { cronJob } from './batch/CronJob.ts';
import { job } from './batch/Job.ts';
import type { HealthCheck } from './check.ts';
import { persistentVolumeClaim } from './core/PersistentVolumeClaim.ts';
import { pod } from './core/Pod.ts';
import { service } from './core/Service.ts';
import { ingress } from './networking.k8s.io/Ingress.ts';
import { podDisruptionBudget } from './policy/PodDisruptionBudget.ts';

/** The check of each kind that has one, by `group/Kind`; one line a kind. */
export const checks: ReadonlyMap<string, HealthCheck> = new Map([
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['/Pod', pod],
  ['/Service', service],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinition],
  ['apiregistration.k8s.io/APIService', apiService],
  ['apps/DaemonSet', daemonSet],
  ['apps/Deployment', deployment],
  ['apps/ReplicaSet', replicaSet],
  ['apps/StatefulSet', statefulSet],
  ['argoproj.io/Application', application],
  ['argoproj.io/Workflow', workflow],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscaler],
  ['batch/CronJob', cronJob],
  ['batch/Job', job],
  ['extensions/Ingress', ingress],
  ['networking.k8s.io/Ingress', ingress],
  ['policy/PodDisruptionBudget', podDisruptionBudget],
]);
