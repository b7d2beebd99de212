/** Flags of Argo CD's application controller that say something here, too, and ours. */
const ours: Readonly<Record<string, string>> = { loglevel: 'log-level', logformat: 'log-format' };

/** Levels of its log, by names that ours does not have. */
const levels: Readonly<Record<string, string>> = { trace: 'debug', warning: 'warn', fatal: 'error', panic: 'error' };

/**
 * Its other flags that may be passed over: they tune what Mooring does its own way, or are for parts that it has not. Those that say where and as whom to act
 * (`--server`, `--as`, `--token`) are not among them.
 */
const withValue: ReadonlySet<string> = new Set([
  'app-hard-resync',
  'app-resync',
  'app-resync-jitter',
  'app-state-cache-expiration',
  'commit-server',
  'default-cache-expiration',
  'enable-k8s-event',
  'gloglevel',
  'hydration-processors',
  'ignore-normalizer-jq-execution-timeout-seconds',
  'kubectl-parallelism-limit',
  'metrics-cache-expiration',
  'metrics-port',
  'operation-processors',
  'redis',
  'redis-ca-certificate',
  'redis-client-certificate',
  'redis-client-key',
  'redis-compress',
  'redisdb',
  'repo-error-grace-period-seconds',
  'repo-server',
  'repo-server-ca-cert-path',
  'repo-server-client-cert-key-path',
  'repo-server-client-cert-path',
  'repo-server-timeout-seconds',
  'request-timeout',
  'self-heal-backoff-cap-seconds',
  'self-heal-backoff-cooldown-seconds',
  'self-heal-backoff-factor',
  'self-heal-backoff-timeout-seconds',
  'self-heal-timeout-seconds',
  'sentinel',
  'sentinelmaster',
  'sharding-method',
  'status-processors',
  'sync-timeout',
  'wq-backoff-factor',
  'wq-basedelay-ns',
  'wq-bucket-qps',
  'wq-bucket-size',
  'wq-cooldown-ns',
  'wq-maxdelay-ns',
]);
const alone: ReadonlySet<string> = new Set([
  'disable-compression',
  'dynamic-cluster-distribution-enabled',
  'hydrator-enabled',
  'persist-resource-health',
  'redis-insecure-skip-tls-verify',
  'redis-use-tls',
  'repo-server-plaintext',
  'repo-server-strict-tls',
  'server-side-diff-enabled',
]);

/** Arguments without flags of Argo CD's, and the names of those that were passed over. Whatever else is unknown stays, to be refused. */
export function withoutArgoFlags(args: readonly string[]): {
  readonly args: readonly string[];
  readonly passedOver: readonly string[];
} {
  const kept: string[] = [];
  const passedOver: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const [, name = '', given] = /^--([a-z0-9-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const own = ours[name];
    if (own !== undefined) {
      const value = given ?? args[++index] ?? '';
      kept.push(`--${own}=${levels[value] ?? value}`);
    } else if (withValue.has(name) || alone.has(name)) {
      passedOver.push(`--${name}`);
      if (withValue.has(name) && given === undefined) index++;
    } else kept.push(arg);
  }
  return { args: kept, passedOver };
}
