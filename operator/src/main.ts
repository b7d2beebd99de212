import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { listOf } from './adapters/store/settings.ts';
import { readTracing, type TracingFlags } from './adapters/telemetry/otlp/settings.ts';
import { messageOf } from './model/fault.ts';
import { createOperator, type OperatorOptions } from './operator.ts';
import type { MetricsChoice } from './world/store.ts';

const defaultListen = '0.0.0.0:8080';
const defaultData = join(tmpdir(), 'mooring');

const usage = `Mooring keeps Kubernetes clusters equal to what Git says.

  mooring-operator [options]

  --kubeconfig PATH   default: $KUBECONFIG, ~/.kube/config, or the pod's own account
  --context NAME      default: the kubeconfig's current context
  --namespace NAME    where Applications, projects and settings are; default: argocd
  --listen HOST:PORT  /api/webhook, /metrics, /livez, /readyz, /healthz; default: ${defaultListen}
  --data PATH         Git repositories are kept here and may be deleted; default: ${defaultData}
  --log-level LEVEL   debug, info, warn or error; default: info
  --log-format FORMAT json or text; default: json
  --metrics-application-labels NAMES      labels of Applications for the metric argocd_app_labels, with commas between
  --metrics-application-conditions NAMES  conditions for argocd_app_condition; default: all
  --metrics-cluster-labels NAMES          labels of cluster Secrets for argocd_cluster_labels

  Traces; each flag has Argo CD's variable, such as ARGOCD_APPLICATION_CONTROLLER_OTLP_ADDRESS, in its place
  --otlp-address ADDRESS     host:port of an OTLP/gRPC receiver, or http(s)://host:port of OTLP/HTTP; default: nothing is traced
  --otlp-insecure BOOL       whether host:port is spoken to without TLS; default: true
  --otlp-headers K=V,…       headers of each request; secret ones belong into the variable
  --otlp-attrs K:V,…         attributes of everything that is sent
  --otlp-sample-ratio RATIO  share of the traces that are recorded, 0 to 1; default: 1
  --trace-ids w3c|xray       form of trace ids; xray: with the time in front, as AWS X-Ray wants them; default: w3c
`;

/** Milliseconds that what is under way may take to finish after SIGTERM. */
const drainMs = 8_000;

interface Arguments extends TracingFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly listen?: string;
  readonly data?: string;
  readonly 'log-level'?: string;
  readonly 'log-format'?: string;
  readonly 'metrics-application-labels'?: readonly string[];
  readonly 'metrics-application-conditions'?: readonly string[];
  readonly 'metrics-cluster-labels'?: readonly string[];
  readonly help?: boolean;
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const tracing = readTracing(values, process.env);
  const options: OperatorOptions = {
    ...(values.kubeconfig !== undefined && { kubeconfig: values.kubeconfig }),
    ...(values.context !== undefined && { context: values.context }),
    ...(values.namespace !== undefined && { namespace: values.namespace }),
    http: listenAddress(values.listen ?? defaultListen),
    dataDirectory: values.data ?? defaultData,
    logLevel: logLevel(values['log-level'] ?? 'info'),
    logFormat: logFormat(values['log-format'] ?? 'json'),
    metrics: metricsChoice(values),
    ...(tracing && { tracing }),
  };
  const operator = await createOperator(options).catch((thrown: unknown) => {
    throw startFailure(thrown, values);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      operator.stop(drainMs).then(
        () => process.exit(0),
        (thrown: unknown) => {
          process.stderr.write(`mooring: ${messageOf(thrown)}\n`);
          process.exit(1);
        },
      );
    });
  }
}

function readArguments(): Arguments {
  try {
    return parseArgs({
      options: {
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        namespace: { type: 'string' },
        listen: { type: 'string' },
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
        help: { type: 'boolean' },
      },
    }).values;
  } catch (thrown) {
    throw new Error(`${messageOf(thrown)}; --help says what there is`, { cause: thrown });
  }
}

/** A failed system call, for people; anything else as it is. */
function startFailure(thrown: unknown, { listen, data }: Arguments): unknown {
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    const what = code === 'EADDRINUSE' ? 'something else listens there' : messageOf(thrown);
    return new Error(`--listen ${listen ?? defaultListen}: ${what}; give another HOST:PORT`, { cause: thrown });
  }
  if (syscall === 'mkdir' || syscall === 'open') {
    return new Error(`--data ${data ?? defaultData}: ${messageOf(thrown)}; give a folder that can be written`, {
      cause: thrown,
    });
  }
  return thrown;
}

function listenAddress(text: string): { host: string; port: number } {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new Error(`--listen ${text}: give HOST:PORT, such as 127.0.0.1:8080`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, '') || '0.0.0.0', port };
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
