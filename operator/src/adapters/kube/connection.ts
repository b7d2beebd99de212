/** How an API server is reached; what a kubeconfig or a cluster Secret comes down to. */
export interface Connection {
  /** `https://host:port`, perhaps with a path prefix; no slash at the end. */
  readonly server: string;
  readonly proxyUrl?: string;
  /**
   * What new connections are secured with; another value only where something of it changed, since then all connections are made anew. Called for each
   * request, so it caches. `renew` is set after a connection failed. Throws `Fault` `cluster-refused`.
   */
  tls?(renew: boolean): Promise<Tls>;
  /** The `Authorization` header; called for each request, so it caches. `renew` is set after a 401. Throws `Fault` `cluster-refused`. */
  authorization?(renew: boolean): Promise<string | undefined>;
}

/** How the two ends of a connection know each other. Certificates and keys are PEM. */
export interface Tls {
  /** The system's authorities are used where it is absent. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name that the server's certificate must have, where it is not the host's. */
  readonly serverName?: string;
  /** Skips the check of the server's certificate. */
  readonly insecure?: boolean;
}

/** The value of before where nothing of it has changed. */
export function sameOrNew(before: Tls | undefined, now: Tls): Tls {
  const fields = ['ca', 'cert', 'key', 'serverName', 'insecure'] as const;
  return before !== undefined && fields.every((field) => String(before[field]) === String(now[field])) ? before : now;
}
