/** One push to a repository, as far as Mooring listens: where to look. What is there is asked of Git itself. */
export interface Push {
  /** Every address that the host gives the repository. */
  readonly urls: readonly string[];
}

/** What a Git host sent. Header names are lower case. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type Verdict =
  | { readonly kind: 'push'; readonly push: Push }
  /** A delivery that is in order and says nothing of use. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** One that names no repository. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** One kind of Git host. */
export interface WebhookHost {
  readonly name: string;
  /** Key of the host's secret in `argocd-secret`, without `webhook.` in front. */
  readonly secretKey: string;
  /** Whether this host made the delivery, by its headers. */
  recognizes(delivery: Delivery): boolean;
  /** Whether who sent the delivery has the host's secret. Looks at the bytes as they came, before anything of them is read. */
  isAuthentic(delivery: Delivery, secret: string): boolean;
  /** Reads it, in time linear in its length, and lets other work have its turn. */
  read(delivery: Delivery): Promise<Verdict>;
}

/** A push that names these addresses, each once. */
export function pushTo(urls: readonly string[], what: 'repository' | 'project'): Verdict {
  const named = [...new Set(urls)].filter((url) => url !== '');
  if (named.length === 0) return { kind: 'unreadable', reason: `the payload names no ${what}` };
  return { kind: 'push', push: { urls: named } };
}
