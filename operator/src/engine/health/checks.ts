import { postgresql } from './acid.zalan.do/postgresql.ts';
import { clusterResourceSet } from './addons.cluster.x-k8s.io/ClusterResourceSet.ts';
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
import { appVault } from './astra.netapp.io/AppVault.ts';
import { execHook } from './astra.netapp.io/ExecHook.ts';
import { astraRun } from './astra.netapp.io/run.ts';
import { astraSchedule } from './astra.netapp.io/Schedule.ts';
import { horizontalPodAutoscaler } from './autoscaling/HorizontalPodAutoscaler.ts';
import { cronJob } from './batch/CronJob.ts';
import { job } from './batch/Job.ts';
import { certificate } from './cert-manager.io/Certificate.ts';
import { issuer } from './cert-manager.io/Issuer.ts';
import type { HealthCheck } from './check.ts';
import { clickHouseInstallation } from './clickhouse.altinity.com/installation.ts';
import { cluster } from './cluster.x-k8s.io/Cluster.ts';
import { machine } from './cluster.x-k8s.io/Machine.ts';
import { machineDeployment } from './cluster.x-k8s.io/MachineDeployment.ts';
import { machineHealthCheck } from './cluster.x-k8s.io/MachineHealthCheck.ts';
import { googleResource } from './cnrm.cloud.google.com/resource.ts';
import { recordingRuleGroupSet } from './coralogix.com/RecordingRuleGroupSet.ts';
import { persistentVolumeClaim } from './core/PersistentVolumeClaim.ts';
import { pod } from './core/Pod.ts';
import { service } from './core/Service.ts';
import { humioState } from './core.humio.com/state.ts';
import { awsManaged } from './crossplane.io/aws.ts';
import { crossplaneResource } from './crossplane.io/resource.ts';
import { clusterExternalSecret } from './external-secrets.io/ClusterExternalSecret.ts';
import { pushSecret } from './external-secrets.io/PushSecret.ts';
import { secretStore } from './external-secrets.io/SecretStore.ts';
import { canary } from './flagger.app/Canary.ts';
import { backendTlsPolicy } from './gateway.networking.k8s.io/BackendTLSPolicy.ts';
import { gatewayClass } from './gateway.networking.k8s.io/GatewayClass.ts';
import { httpRoute } from './gateway.networking.k8s.io/HTTPRoute.ts';
import { glooState } from './gloo.solo.io/state.ts';
import { jaeger } from './jaegertracing.io/Jaeger.ts';
import { mariaDb } from './k8s.mariadb.com/MariaDB.ts';
import { kafkaBridge } from './kafka.strimzi.io/KafkaBridge.ts';
import { kafkaConnect } from './kafka.strimzi.io/KafkaConnect.ts';
import { kafkaConnector } from './kafka.strimzi.io/KafkaConnector.ts';
import { kafkaTopic } from './kafka.strimzi.io/KafkaTopic.ts';
import { kafkaUser } from './kafka.strimzi.io/KafkaUser.ts';
import { ec2NodeClass } from './karpenter.k8s.aws/EC2NodeClass.ts';
import { nodeClaim } from './karpenter.sh/NodeClaim.ts';
import { nodePool } from './karpenter.sh/NodePool.ts';
import { scaledJob } from './keda.sh/ScaledJob.ts';
import { kyvernoPolicy } from './kyverno.io/Policy.ts';
import { keptnLifecycle } from './lifecycle.keptn.sh/lifecycle.ts';
import { keptnMetric } from './metrics.keptn.sh/KeptnMetric.ts';
import { ingress } from './networking.k8s.io/Ingress.ts';
import { onePasswordItem } from './onepassword.com/OnePasswordItem.ts';
import { crossplaneProvider } from './pkg.crossplane.io/Provider.ts';
import { podDisruptionBudget } from './policy/PodDisruptionBudget.ts';
import { perconaServerMongoDb } from './psmdb.percona.com/PerconaServerMongoDB.ts';
import { binding } from './rabbitmq.com/Binding.ts';
import { exchange } from './rabbitmq.com/Exchange.ts';
import { shovel } from './rabbitmq.com/Shovel.ts';
import { sapService } from './services.cloud.sap.com/service.ts';
import { awsResource } from './services.k8s.aws/resource.ts';
import { knativeService } from './serving.knative.dev/Service.ts';
import { volumeSnapshot } from './snapshot.storage.k8s.io/VolumeSnapshot.ts';
import { solrCloud } from './solr.apache.org/SolrCloud.ts';
import { fluxSource } from './source.toolkit.fluxcd.io/source.ts';
import { clusterStackInstall } from './stacks.crossplane.io/ClusterStackInstall.ts';
import { tridentOrchestrator } from './trident.netapp.io/TridentOrchestrator.ts';
import { zookeeperCluster } from './zookeeper.pravega.io/ZookeeperCluster.ts';

/** The check of each kind that has one, by `group/Kind`; one line a kind. */
export const checks: ReadonlyMap<string, HealthCheck> = new Map([
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['/Pod', pod],
  ['/Service', service],
  ['acid.zalan.do/postgresql', postgresql],
  ['addons.cluster.x-k8s.io/ClusterResourceSet', clusterResourceSet],
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
  ['astra.netapp.io/AppVault', appVault],
  ['astra.netapp.io/Backup', astraRun],
  ['astra.netapp.io/ExecHook', execHook],
  ['astra.netapp.io/ExecHooksRun', astraRun],
  ['astra.netapp.io/ResourceBackup', astraRun],
  ['astra.netapp.io/ResticVolumeBackup', astraRun],
  ['astra.netapp.io/Schedule', astraSchedule],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscaler],
  ['batch/CronJob', cronJob],
  ['batch/Job', job],
  ['cert-manager.io/Certificate', certificate],
  ['cert-manager.io/Issuer', issuer],
  ['certmanager.k8s.io/Issuer', issuer],
  ['clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation', clickHouseInstallation],
  ['clickhouse.altinity.com/ClickHouseInstallation', clickHouseInstallation],
  ['cloudfront.aws.crossplane.io/Distribution', awsManaged('distribution')],
  ['cluster.x-k8s.io/Cluster', cluster],
  ['cluster.x-k8s.io/Machine', machine],
  ['cluster.x-k8s.io/MachineDeployment', machineDeployment],
  ['cluster.x-k8s.io/MachineHealthCheck', machineHealthCheck],
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
  ['flagger.app/Canary', canary],
  ['gateway.networking.k8s.io/BackendTLSPolicy', backendTlsPolicy],
  ['gateway.networking.k8s.io/GatewayClass', gatewayClass],
  ['gateway.networking.k8s.io/HTTPRoute', httpRoute],
  ['gateway.solo.io/MatchableHttpGateway', glooState],
  ['gateway.solo.io/RouteTable', glooState],
  ['gateway.solo.io/VirtualHostOption', glooState],
  ['gateway.solo.io/VirtualService', glooState],
  ['gloo.solo.io/Proxy', glooState],
  ['gloo.solo.io/Settings', glooState],
  ['gloo.solo.io/Upstream', glooState],
  ['gloo.solo.io/UpstreamGroup', glooState],
  ['iam.aws.crossplane.io/Policy', awsManaged('Policy')],
  ['iam.aws.crossplane.io/Role', awsManaged('Role')],
  ['iam.aws.crossplane.io/RolePolicyAttachment', awsManaged('RolePolicyAttachment')],
  ['jaegertracing.io/Jaeger', jaeger],
  ['k8s.mariadb.com/MariaDB', mariaDb],
  ['kafka.strimzi.io/KafkaBridge', kafkaBridge],
  ['kafka.strimzi.io/KafkaConnect', kafkaConnect],
  ['kafka.strimzi.io/KafkaConnector', kafkaConnector],
  ['kafka.strimzi.io/KafkaTopic', kafkaTopic],
  ['kafka.strimzi.io/KafkaUser', kafkaUser],
  ['karpenter.k8s.aws/EC2NodeClass', ec2NodeClass],
  ['karpenter.sh/NodeClaim', nodeClaim],
  ['karpenter.sh/NodePool', nodePool],
  ['keda.sh/ScaledJob', scaledJob],
  ['kyverno.io/Policy', kyvernoPolicy],
  ['lifecycle.keptn.sh/KeptnAppVersion', keptnLifecycle],
  ['lifecycle.keptn.sh/KeptnTask', keptnLifecycle],
  ['lifecycle.keptn.sh/KeptnWorkloadInstance', keptnLifecycle],
  ['mariadb.mmontes.io/MariaDB', mariaDb],
  ['metrics.keptn.sh/KeptnMetric', keptnMetric],
  ['networking.k8s.io/Ingress', ingress],
  ['onepassword.com/OnePasswordItem', onePasswordItem],
  ['pkg.crossplane.io/Provider', crossplaneProvider],
  ['policy/PodDisruptionBudget', podDisruptionBudget],
  ['psmdb.percona.com/PerconaServerMongoDB', perconaServerMongoDb],
  ['rabbitmq.com/Binding', binding],
  ['rabbitmq.com/Exchange', exchange],
  ['rabbitmq.com/Shovel', shovel],
  ['rds.aws.crossplane.io/DBCluster', awsManaged('DBCluster')],
  ['rds.aws.crossplane.io/DBInstance', awsManaged('DBInstance')],
  ['s3.aws.crossplane.io/Bucket', awsManaged('Bucket')],
  ['services.cloud.sap.com/ServiceBinding', sapService],
  ['services.cloud.sap.com/ServiceInstance', sapService],
  ['serving.knative.dev/Service', knativeService],
  ['snapshot.storage.k8s.io/VolumeSnapshot', volumeSnapshot],
  ['snapshot.storage.k8s.io/VolumeSnapshotContent', volumeSnapshot],
  ['solr.apache.org/SolrCloud', solrCloud],
  ['source.toolkit.fluxcd.io/GitRepository', fluxSource],
  ['source.toolkit.fluxcd.io/HelmChart', fluxSource],
  ['source.toolkit.fluxcd.io/OCIRepository', fluxSource],
  ['stacks.crossplane.io/ClusterStackInstall', clusterStackInstall],
  ['trident.netapp.io/TridentOrchestrator', tridentOrchestrator],
  ['zookeeper.pravega.io/ZookeeperCluster', zookeeperCluster],
]);

/** Checks for every kind of the groups that end so, where a kind has none of its own. */
export const groupChecks: ReadonlyMap<string, HealthCheck> = new Map([
  ['.cnrm.cloud.google.com', googleResource],
  ['.crossplane.io', crossplaneResource],
  ['.services.k8s.aws', awsResource],
]);
