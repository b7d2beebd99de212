/** Every bound of the operator. A value that is reached ends one piece of work with a clear error, never the process. */
export interface OperatorLimits {
  /** Applications waiting in the queue; one entry an Application. */
  readonly queueLength: number;
  /** Reconciles under way at once, over all clusters. Argo CD's `controller.status.processors`. */
  readonly reconcilesAtOnce: number;
  /** Reconciles under way at once for one cluster. */
  readonly reconcilesPerCluster: number;
  /** Reconciles that wait for Git, for a cluster's view or for an object to go without a place among the others; those beyond it keep theirs. */
  readonly reconcilesWaiting: number;
  /** Milliseconds of such waiting for which a reconcile keeps its place. */
  readonly placeKeptMs: number;
  /** The same for the wait for a render: those beyond it stand in the queue of renders in the order in which they came, the urgent behind the others. */
  readonly placeKeptForRenderMs: number;
  /** Requests under way at once to one API server. */
  readonly requestsPerCluster: number;
  /** Bytes of one answer of an API server. */
  readonly responseBytes: number;
  /** Milliseconds for one request to an API server; watches are exempt. */
  readonly requestTimeoutMs: number;
  /** Objects asked for in one page of a list. */
  readonly listPageSize: number;
  /** Milliseconds for one git command. */
  readonly gitTimeoutMs: number;
  /** Entries of one Git tree. */
  readonly treeEntries: number;
  /** Bytes of one file of a Git tree. */
  readonly blobBytes: number;
  /** Characters of the path of a source, as Linux has it for paths. */
  readonly pathLength: number;
  /** Characters of a namespace's name, as Kubernetes has it. */
  readonly namespaceLength: number;
  /** Bytes of one webhook body. Argo CD's `webhook.maxPayloadSizeMB` is 50; a push payload is under 1 MB. */
  readonly webhookBytes: number;
  /** First and longest wait, in milliseconds, before a failed reconcile is tried again. */
  readonly backoffFirstMs: number;
  readonly backoffLastMs: number;
  /** Milliseconds between two looks at a cluster that could not be reached. */
  readonly clusterRetryMs: number;
  /** First and longest wait, in milliseconds, between two looks at what keeps the operator from starting. */
  readonly startRetryFirstMs: number;
  readonly startRetryLastMs: number;
  /** Milliseconds for which the operator stays ready though its API server is gone. */
  readonly outageMs: number;
  /** Bytes of one Application as JSON. etcd takes requests of 1.5 MiB; the rest is for `managedFields`. */
  readonly applicationBytes: number;
  /** Characters of one condition's or operation's message. */
  readonly messageLength: number;
  /** Kubernetes Events waiting to be sent; the oldest is dropped, and counted, beyond it. */
  readonly eventsWaiting: number;
  /** Those about the operator itself that are kept until the API server takes them; the same beyond it. */
  readonly eventsKept: number;
  /** Traces of commits that are open at once; the oldest ends beyond it. */
  readonly tracesOpen: number;
  /** Milliseconds that a trace waits for an Application to be Synced and Healthy. */
  readonly traceMs: number;
  /** Bytes of spans waiting to be sent; the oldest are dropped, and counted, beyond it. */
  readonly spanBytesWaiting: number;
}

export const operatorLimits: OperatorLimits = {
  queueLength: 20_000,
  reconcilesAtOnce: 20,
  reconcilesPerCluster: 10,
  reconcilesWaiting: 2_000,
  placeKeptMs: 20,
  placeKeptForRenderMs: 1_000,
  requestsPerCluster: 16,
  responseBytes: 256 * 1024 * 1024,
  requestTimeoutMs: 30_000,
  listPageSize: 500,
  gitTimeoutMs: 90_000,
  treeEntries: 1_000_000,
  blobBytes: 32 * 1024 * 1024,
  pathLength: 4_096,
  namespaceLength: 63,
  webhookBytes: 10 * 1024 * 1024,
  backoffFirstMs: 1_000,
  backoffLastMs: 60_000,
  clusterRetryMs: 10_000,
  startRetryFirstMs: 1_000,
  startRetryLastMs: 10_000,
  outageMs: 60_000,
  applicationBytes: 1_400_000,
  messageLength: 4_096,
  eventsWaiting: 2_000,
  eventsKept: 32,
  tracesOpen: 256,
  traceMs: 3_600_000,
  spanBytesWaiting: 8 * 1024 * 1024,
};
