import { customResourceDefinition } from './apiextensions.k8s.io/CustomResourceDefinition.ts';
import { apiService } from './apiregistration.k8s.io/APIService.ts';
import { daemonSet } from './apps/DaemonSet.ts';
import { deployment } from './apps/Deployment.ts';
import { replicaSet } from './apps/ReplicaSet.ts';
import { statefulSet } from './apps/StatefulSet.ts';
import { analysisRun } from './argoproj.io/AnalysisRun.ts';
import { application } from './argoproj.io/Application.ts';
import { applicationSet } from './argoproj.io/ApplicationSet.ts';
import { cronWorkflow } from './argoproj.io/CronWorkflow.ts';
import { eventBus } from './argoproj.io/EventBus.ts';
import { experiment } from './argoproj.io/Experiment.ts';
import { rollout } from './argoproj.io/Rollout.ts';
import { workflow } from './argoproj.io/Workflow.ts';
import { horizontalPodAutoscaler } from './autoscaling/HorizontalPodAutoscaler.ts';
import { cronJob } from './batch/CronJob.ts';
import { job } from './batch/Job.ts';
import { certificate } from './cert-manager.io/Certificate.ts';
import { issuer } from './cert-manager.io/Issuer.ts';
import type { HealthCheck } from './check.ts';
import { recordingRuleGroupSet } from './coralogix.com/RecordingRuleGroupSet.ts';
import { persistentVolumeClaim } from './core/PersistentVolumeClaim.ts';
import { pod } from './core/Pod.ts';
import { service } from './core/Service.ts';
import { humioState } from './core.humio.com/state.ts';
import { clusterExternalSecret } from './external-secrets.io/ClusterExternalSecret.ts';
import { pushSecret } from './external-secrets.io/PushSecret.ts';
import { secretStore } from './external-secrets.io/SecretStore.ts';
import { glooState } from './gloo.solo.io/state.ts';
import { kafkaBridge } from './kafka.strimzi.io/KafkaBridge.ts';
import { kafkaConnect } from './kafka.strimzi.io/KafkaConnect.ts';
import { kafkaConnector } from './kafka.strimzi.io/KafkaConnector.ts';
import { kafkaTopic } from './kafka.strimzi.io/KafkaTopic.ts';
import { kafkaUser } from './kafka.strimzi.io/KafkaUser.ts';
import { ec2NodeClass } from './karpenter.k8s.aws/EC2NodeClass.ts';
import { nodeClaim } from './karpenter.sh/NodeClaim.ts';
import { nodePool } from './karpenter.sh/NodePool.ts';
import { ingress } from './networking.k8s.io/Ingress.ts';
import { onePasswordItem } from './onepassword.com/OnePasswordItem.ts';
import { podDisruptionBudget } from './policy/PodDisruptionBudget.ts';
import { binding } from './rabbitmq.com/Binding.ts';
import { exchange } from './rabbitmq.com/Exchange.ts';
import { shovel } from './rabbitmq.com/Shovel.ts';
import { volumeSnapshot } from './snapshot.storage.k8s.io/VolumeSnapshot.ts';
import { fluxSource } from './source.toolkit.fluxcd.io/source.ts';

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
  ['argoproj.io/AnalysisRun', analysisRun],
  ['argoproj.io/Application', application],
  ['argoproj.io/ApplicationSet', applicationSet],
  ['argoproj.io/CronWorkflow', cronWorkflow],
  ['argoproj.io/EventBus', eventBus],
  ['argoproj.io/Experiment', experiment],
  ['argoproj.io/Rollout', rollout],
  ['argoproj.io/Workflow', workflow],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscaler],
  ['batch/CronJob', cronJob],
  ['batch/Job', job],
  ['cert-manager.io/Certificate', certificate],
  ['cert-manager.io/Issuer', issuer],
  ['certmanager.k8s.io/Issuer', issuer],
  ['coralogix.com/RecordingRuleGroupSet', recordingRuleGroupSet],
  ['core.humio.com/HumioAction', humioState],
  ['core.humio.com/HumioAlert', humioState],
  ['core.humio.com/HumioIngestToken', humioState],
  ['core.humio.com/HumioParser', humioState],
  ['core.humio.com/HumioRepository', humioState],
  ['extensions/Ingress', ingress],
  ['external-secrets.io/ClusterExternalSecret', clusterExternalSecret],
  ['external-secrets.io/PushSecret', pushSecret],
  ['external-secrets.io/SecretStore', secretStore],
  ['gateway.solo.io/MatchableHttpGateway', glooState],
  ['gateway.solo.io/RouteTable', glooState],
  ['gateway.solo.io/VirtualHostOption', glooState],
  ['gateway.solo.io/VirtualService', glooState],
  ['gloo.solo.io/Proxy', glooState],
  ['gloo.solo.io/Settings', glooState],
  ['gloo.solo.io/Upstream', glooState],
  ['gloo.solo.io/UpstreamGroup', glooState],
  ['kafka.strimzi.io/KafkaBridge', kafkaBridge],
  ['kafka.strimzi.io/KafkaConnect', kafkaConnect],
  ['kafka.strimzi.io/KafkaConnector', kafkaConnector],
  ['kafka.strimzi.io/KafkaTopic', kafkaTopic],
  ['kafka.strimzi.io/KafkaUser', kafkaUser],
  ['karpenter.k8s.aws/EC2NodeClass', ec2NodeClass],
  ['karpenter.sh/NodeClaim', nodeClaim],
  ['karpenter.sh/NodePool', nodePool],
  ['networking.k8s.io/Ingress', ingress],
  ['onepassword.com/OnePasswordItem', onePasswordItem],
  ['policy/PodDisruptionBudget', podDisruptionBudget],
  ['rabbitmq.com/Binding', binding],
  ['rabbitmq.com/Exchange', exchange],
  ['rabbitmq.com/Shovel', shovel],
  ['snapshot.storage.k8s.io/VolumeSnapshot', volumeSnapshot],
  ['snapshot.storage.k8s.io/VolumeSnapshotContent', volumeSnapshot],
  ['source.toolkit.fluxcd.io/GitRepository', fluxSource],
  ['source.toolkit.fluxcd.io/HelmChart', fluxSource],
  ['source.toolkit.fluxcd.io/OCIRepository', fluxSource],
]);
