import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listOf } from './adapters/store/settings.ts';
import { createLog } from './adapters/telemetry/log.ts';
import { readTracing, type TracingFlags } from './adapters/telemetry/otlp/settings.ts';
import { withoutArgoFlags } from './argo-flags.ts';
import { messageOf } from './model/fault.ts';
import { readRenderLimits } from './model/render-limits.ts';
import {
  createOperator,
  type LeaderElectionOptions,
  type ListenAddress,
  type Operator,
  type OperatorOptions,
} from './operator.ts';
import type { MetricsChoice } from './world/store.ts';

const defaultListen = '0.0.0.0:8080';
const defaultData = join(tmpdir(), 'mooring');

const usage = `Mooring keeps Kubernetes clusters equal to what Git says.

  mooring-operator [options]

  --kubeconfig PATH   default: $KUBECONFIG, ~/.kube/config, or the pod's own account
  --context NAME      default: the kubeconfig's current context
  --namespace NAME    where Applications, projects and settings are; default: argocd
  --listen HOST:PORT  /api/webhook, /metrics, /livez, /readyz, /healthz; default: ${defaultListen}
  --probe-listen HOST:PORT    /livez, /readyz and /healthz there, too, where whoever fills the other port does not reach; default: only there
  --metrics-listen HOST:PORT  /metrics there instead; default: the port of --listen
  --data PATH         Git repositories are kept here and may be deleted; default: ${defaultData}
  --log-level LEVEL   debug, info, warn or error; default: info
  --log-format FORMAT json or text; default: json
  --render-limit NAME=VALUE  a bound of every render, such as memoryBytes=1Gi (what an engine may hold; half of it, or memorySoftBytes, is what it aims at),
                      timeMs=120000, or another that an error names; may be repeated. The process may have two engines at their bound at once
  --leader-elect      one of several replicas leads, the others stand by; without it this is the only one
  --read-only         look and tell, by metrics, log and /readyz, and write nothing at all, not even a status
  --lease-name NAME   the Lease that they agree by; default: mooring
  --metrics-application-labels NAMES      labels of Applications for the metric argocd_app_labels, with commas between
  --metrics-application-conditions NAMES  conditions for argocd_app_condition; default: all
  --metrics-cluster-labels NAMES          labels of cluster Secrets for argocd_cluster_labels

  Repositories that are refused; $MOORING_ALLOW_FILE_REPOSITORIES=true and $MOORING_ALLOW_NODE_LOCAL_REPOSITORIES=true do the same
  --allow-file-repositories        reads folders of this machine, too (file:///path)
  --allow-node-local-repositories  asks servers on this machine, too: 127.0.0.1, localhost, 169.254.169.254 and the like

  Traces; each flag has Argo CD's variable, such as ARGOCD_APPLICATION_CONTROLLER_OTLP_ADDRESS, in its place
  --otlp-address ADDRESS     host:port of an OTLP/gRPC receiver, or http(s)://host:port of OTLP/HTTP; default: nothing is traced
  --otlp-insecure BOOL       whether host:port is spoken to without TLS; default: true
  --otlp-headers K=V,…       headers of each request; secret ones belong into the variable
  --otlp-attrs K:V,…         attributes of everything that is sent
  --otlp-sample-ratio RATIO  share of the traces that are recorded, 0 to 1; default: 1
  --trace-ids w3c|xray       form of trace ids; xray: with the time in front, as AWS X-Ray wants them; default: w3c

Flags of Argo CD's application controller may stand among them: --loglevel and --logformat mean the same here, the others are named in the log and passed over.
Replicas are told apart by $POD_NAME, and reach each other by $POD_IP.
`;

/** Milliseconds after the first SIGTERM or SIGINT at which the process ends in any case; a pod has 30 s. */
const stopMs = 9_000;

interface Arguments extends TracingFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly listen?: string;
  readonly 'probe-listen'?: string;
  readonly 'metrics-listen'?: string;
  readonly data?: string;
  readonly 'log-level'?: string;
  readonly 'log-format'?: string;
  readonly 'metrics-application-labels'?: readonly string[];
  readonly 'metrics-application-conditions'?: readonly string[];
  readonly 'metrics-cluster-labels'?: readonly string[];
  readonly 'allow-file-repositories'?: boolean;
  readonly 'allow-node-local-repositories'?: boolean;
  readonly 'render-limit'?: readonly string[];
  readonly 'leader-elect'?: boolean;
  readonly 'read-only'?: boolean;
  readonly 'lease-name'?: string;
  readonly help?: boolean;
}

async function main(): Promise<void> {
  const { args, passedOver } = withoutArgoFlags(process.argv.slice(2));
  const values = readArguments(args);
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const tracing = readTracing(values, process.env);
  const options: OperatorOptions = {
    ...(values.kubeconfig !== undefined && { kubeconfig: values.kubeconfig }),
    ...(values.context !== undefined && { context: values.context }),
    ...(values.namespace !== undefined && { namespace: values.namespace }),
    http: listenAddress('listen', values.listen ?? defaultListen),
    ...(values['probe-listen'] !== undefined && { probes: listenAddress('probe-listen', values['probe-listen']) }),
    ...(values['metrics-listen'] !== undefined && {
      metricsHttp: listenAddress('metrics-listen', values['metrics-listen']),
    }),
    dataDirectory: values.data ?? defaultData,
    logLevel: logLevel(values['log-level'] ?? 'info'),
    logFormat: logFormat(values['log-format'] ?? 'json'),
    repositories: {
      ...(values['allow-file-repositories'] && { allowFiles: true }),
      ...(values['allow-node-local-repositories'] && { allowNodeLocal: true }),
    },
    renderLimits: renderLimits(values['render-limit'] ?? []),
    metrics: metricsChoice(values),
    ...(tracing && { tracing }),
    ...(values['read-only'] && { readOnly: true }),
    ...(values['leader-elect'] && { leaderElection: leaderElection(values, process.env) }),
  };
  if (passedOver.length > 0)
    createLog(options.logLevel ?? 'info', options.logFormat).warn(
      { flags: passedOver.join(' ') },
      "flags of Argo CD's that have no effect here",
    );
  let operator: Operator | undefined;
  stopOnSignals(() => operator);
  operator = await createOperator(options).catch((thrown: unknown) => {
    throw startFailure(thrown, values);
  });
}

/** The first signal ends the operator in good order; the second one, and `stopMs` after the first, end the process. */
function stopOnSignals(operator: () => Operator | undefined): void {
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) process.exit(128 + constants.signals[signal]);
      isStopping = true;
      const running = operator();
      // Before it has started it leads nothing and writes nothing.
      if (running === undefined) process.exit(0);
      setTimeout(() => {
        process.stderr.write(`mooring: what is under way did not end within ${stopMs / 1_000} s\n`);
        process.exit(1);
      }, stopMs).unref();
      running.stop().then(
        () => process.exit(0),
        (thrown: unknown) => {
          process.stderr.write(`mooring: ${messageOf(thrown)}\n`);
          process.exit(1);
        },
      );
    });
  }
}

function leaderElection(
  { 'lease-name': leaseName }: Arguments,
  { POD_NAME: identity, POD_IP: address }: NodeJS.ProcessEnv,
): LeaderElectionOptions {
  return { ...(leaseName && { leaseName }), ...(identity && { identity }), ...(address && { address }) };
}

function readArguments(args: readonly string[]): Arguments {
  try {
    return parseArgs({
      args: [...args],
      options: {
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        namespace: { type: 'string' },
        listen: { type: 'string' },
        'probe-listen': { type: 'string' },
        'metrics-listen': { type: 'string' },
        data: { type: 'string' },
        'log-level': { type: 'string' },
        'log-format': { type: 'string' },
        'metrics-application-labels': { type: 'string', multiple: true },
        'metrics-application-conditions': { type: 'string', multiple: true },
        'metrics-cluster-labels': { type: 'string', multiple: true },
        'otlp-address': { type: 'string' },
        'otlp-insecure': { type: 'string' },
        'otlp-headers': { type: 'string' },
        'otlp-attrs': { type: 'string' },
        'otlp-sample-ratio': { type: 'string' },
        'trace-ids': { type: 'string' },
        'allow-file-repositories': { type: 'boolean' },
        'allow-node-local-repositories': { type: 'boolean' },
        'render-limit': { type: 'string', multiple: true },
        'leader-elect': { type: 'boolean' },
        'read-only': { type: 'boolean' },
        'lease-name': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (thrown) {
    throw new Error(`${messageOf(thrown)}; --help says what there is`, { cause: thrown });
  }
}

/** A failed system call, for people; anything else as it is. */
function startFailure(thrown: unknown, { listen = defaultListen, data, ...others }: Arguments): unknown {
  const { code, syscall, port } = thrown as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    const what = code === 'EADDRINUSE' ? 'something else listens there' : messageOf(thrown);
    const asked = { listen, 'probe-listen': others['probe-listen'], 'metrics-listen': others['metrics-listen'] };
    const [flag, text] = Object.entries(asked).find(([, each]) => each?.endsWith(`:${port}`)) ?? ['listen', listen];
    return new Error(`--${flag} ${text}: ${what}; give another HOST:PORT`, { cause: thrown });
  }
  if (syscall === 'mkdir' || syscall === 'open') {
    return new Error(`--data ${data ?? defaultData}: ${messageOf(thrown)}; give a folder that can be written`, {
      cause: thrown,
    });
  }
  return thrown;
}

function listenAddress(flag: string, text: string): ListenAddress {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new Error(`--${flag} ${text}: give HOST:PORT, such as 127.0.0.1:8080`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

function renderLimits(texts: readonly string[]): Exclude<ReturnType<typeof readRenderLimits>, string> {
  const limits = readRenderLimits(texts);
  if (typeof limits === 'string') throw new Error(`--render-limit ${limits}`);
  return limits;
}

function metricsChoice(values: Arguments): MetricsChoice {
  const applicationLabels = values['metrics-application-labels']?.flatMap(listOf);
  const applicationConditions = values['metrics-application-conditions']?.flatMap(listOf);
  const clusterLabels = values['metrics-cluster-labels']?.flatMap(listOf);
  return {
    ...(applicationLabels && { applicationLabels }),
    ...(applicationConditions && { applicationConditions }),
    ...(clusterLabels && { clusterLabels }),
  };
}

function logLevel(text: string): 'debug' | 'info' | 'warn' | 'error' {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw new Error(`--log-level ${text}: give debug, info, warn or error`);
}

function logFormat(text: string): 'json' | 'text' {
  if (text === 'json' || text === 'text') return text;
  throw new Error(`--log-format ${text}: give json or text`);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`mooring: ${messageOf(thrown)}\n`);
  process.exitCode = 1;
});
