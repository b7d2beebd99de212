/** How an API server is reached; what a kubeconfig or a cluster Secret comes down to. */
export interface Connection {
  /** `https://host:port`, perhaps with a path prefix; no slash at the end. */
  readonly server: string;
  /** PEM. The system's authorities are used where it is absent. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Name that the server's certificate must have, where it is not the host's. */
  readonly serverName?: string;
  /** Skips the check of the server's certificate. */
  readonly insecure?: boolean;
  readonly proxyUrl?: string;
  /** The `Authorization` header; called for each request, so it caches. `renew` is set after a 401. Throws `Fault` `cluster-refused`. */
  authorization?(renew: boolean): Promise<string | undefined>;
}
