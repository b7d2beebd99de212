import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './build.ts';
import { type ControlPlane, nodeName, toArgs, untilReady } from './control-plane.ts';
import { type Run, type Started, startProcess } from './run.ts';

/**
 * Starts kwok, which plays a node of unlimited size: pods run without a container, and what becomes of them is read
 * from their command, see `stages`. Waits until the node is ready for pods.
 */
export async function startSimulatedNode(
  state: Run,
  binaries: Binaries,
  controlPlane: ControlPlane,
  onStart: (started: Started) => void,
): Promise<void> {
  const config = join(state.dir, 'stages.yaml');
  // JSON is YAML, so a list of documents needs no more than a line between them.
  await writeFile(
    config,
    stages()
      .map((stage) => JSON.stringify(stage))
      .join('\n---\n'),
  );
  const flags = {
    config,
    kubeconfig: controlPlane.kubeconfigPath,
    'manage-all-nodes': 'true',
    'node-lease-duration-seconds': '40',
    'node-ip': '127.0.0.1',
    cidr: '10.244.0.1/16',
    // It would write a line for every change of every pod.
    v: 'WARN',
  };
  const started = await startProcess(state, 'kwok', binaries.kubernetes, ['kwok', ...toArgs(flags)]);
  onStart(started);
  const size = { cpu: '10000', memory: '100Ti', pods: '1000000', 'ephemeral-storage': '100Ti' };
  await controlPlane.api.call('POST', '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': 'linux', type: 'kwok' },
    },
    status: { capacity: size, allocatable: size },
  });
  await untilReady('the node', [...controlPlane.processes, started], async () => {
    const node = await controlPlane.api.call('GET', `/api/v1/nodes/${nodeName}`);
    const ready = node.status.conditions?.some(
      (c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True',
    );
    return ready && (node.spec.taints ?? []).length === 0;
  });
}

// Questions about a pod, in jq. A shell script given as an argument counts as commands too: `sh -c 'sleep 3; false'`.
const commands = '(.spec.containers[] | ((.command // []) + (.args // [])) | join(" "))';
const fails = `([${commands} | test("(^|[ ;&/])(false|exit [1-9][0-9]*)$")] | any)`;
const sleepSeconds = `([${commands} | capture("(^|[ ;&/])sleep (?<n>[0-9]+([.][0-9]+)?)") | .n | tonumber] | max // 0)`;
const failsAtOnce = `(${fails} and ${sleepSeconds} == 0)`;
const restarts = '((.status.containerStatuses // [])[0].restartCount // 0)';
const ends = '(.spec.restartPolicy == "Never" or .spec.restartPolicy == "OnFailure")';

// Where every kubelet would wait longer and longer, a crash loop here goes round once a second and then rests.
const maxRestarts = 10;

/**
 * What kwok does to nodes and pods.
 *
 * - A pod whose command is `false` or ends with `exit N` fails: with `restartPolicy: Never` its phase becomes Failed, with
 *   any other it is in CrashLoopBackOff and its restart count goes up.
 * - `sleep N` takes N seconds. Then, and without any sleep at once, a pod that is not to be restarted always has succeeded.
 * - Every other pod is running and ready.
 */
function stages(): object[] {
  const pending = '.status.phase == "Pending"';
  const running = '.status.phase == "Running"';
  const failing = `(${running} or (${pending} and ${failsAtOnce})) and ${fails}`;
  return [
    stage('node-ready', 'Node', '.status.conditions // [] | any(.type == "Ready" and .status == "True") | not', {
      statusTemplate: nodeStatus,
    }),
    stage('pod-delete', 'Pod', '.metadata.deletionTimestamp != null', { delete: true }),
    stage('pod-run', 'Pod', alive(`${pending} and (${failsAtOnce} | not)`), { statusTemplate: runningStatus }),
    stage(
      'pod-succeed',
      'Pod',
      alive(`${running} and ${ends} and (${fails} | not)`),
      { statusTemplate: endedStatus('Succeeded', 0, 'Completed') },
      sleepSeconds,
    ),
    stage(
      'pod-fail',
      'Pod',
      alive(`${failing} and .spec.restartPolicy == "Never"`),
      { statusTemplate: endedStatus('Failed', 1, 'Error') },
      sleepSeconds,
    ),
    stage(
      'pod-crash',
      'Pod',
      alive(`${failing} and .spec.restartPolicy != "Never" and ${restarts} < ${maxRestarts}`),
      { statusTemplate: crashLoopStatus },
      `if ${pending} then 0 else ([${sleepSeconds}, 1] | max) end`,
    ),
  ];
}

function alive(question: string): string {
  return `.metadata.deletionTimestamp == null and (${question})`;
}

/** A stage for the objects of a kind that a jq question says yes to, after the seconds that another one tells. */
function stage(name: string, kind: string, question: string, next: object, seconds?: string): object {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind },
      selector: { matchExpressions: [{ jq: { key: question, operator: 'In', values: ['true'] } }] },
      ...(seconds === undefined ? {} : { delay: { durationFrom: { jq: { expression: `"\\(${seconds})s"` } } } }),
      next,
    },
  };
}

const nodeStatus = `
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- { type: InternalIP, address: {{ NodeIP | Quote }} }
- { type: Hostname, address: {{ .metadata.name | Quote }} }
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: kwok
  kernelVersion: kwok
  kubeProxyVersion: kwok
  kubeletVersion: kwok
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
`;

/** Conditions of a pod, as part of a status template. */
function podConditions(ready: 'True' | 'False'): string {
  return `
conditions:
- { type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: PodReadyToStartContainers, status: "True", lastTransitionTime: {{ $now | Quote }} }
- { type: ContainersReady, status: "${ready}", lastTransitionTime: {{ $now | Quote }} }
- { type: Ready, status: "${ready}", lastTransitionTime: {{ $now | Quote }} }
`;
}

const podAddress = `
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}
startTime: {{ or .status.startTime $now | Quote }}
`;

const initContainers = `
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
  {{ if eq ( or .restartPolicy "" ) "Always" }}
  started: true
  state: { running: { startedAt: {{ $now | Quote }} } }
  {{ else }}
  state: { terminated: { exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
  {{ end }}
{{ end }}
`;

const runningStatus = `
{{ $now := Now }}
phase: Running
${podConditions('True')}
${podAddress}
${initContainers}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: { running: { startedAt: {{ $now | Quote }} } }
{{ end }}
`;

const crashLoopStatus = `
{{ $now := Now }}
{{ $restarts := 0 }}
{{ range .status.containerStatuses }}{{ $restarts = .restartCount }}{{ end }}
phase: Running
${podConditions('False')}
${podAddress}
${initContainers}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: {{ add $restarts 1 }}
  state: { waiting: { reason: CrashLoopBackOff, message: back-off restarting the failed container } }
  lastState: { terminated: { exitCode: 1, reason: Error, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
`;

function endedStatus(phase: 'Succeeded' | 'Failed', exitCode: number, reason: string): string {
  return `
{{ $now := Now }}
{{ $started := or .status.startTime $now }}
phase: ${phase}
${podConditions('False')}
${podAddress}
${initContainers}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state: { terminated: { exitCode: ${exitCode}, reason: ${reason}, startedAt: {{ $started | Quote }}, finishedAt: {{ $now | Quote }} } }
{{ end }}
`;
}
