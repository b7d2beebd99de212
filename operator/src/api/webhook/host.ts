import type { Settings } from '../../world/store.ts';

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
  | { readonly kind: 'refused'; readonly status: 400 | 401; readonly reason: string };

/** One kind of Git host. */
export interface WebhookHost {
  readonly name: string;
  /** Whether this host made the delivery, by its headers. */
  recognizes(delivery: Delivery): boolean;
  /** Checks the delivery against the host's secret among `secrets` (`github.secret`), where one is set, and reads it. */
  read(delivery: Delivery, secrets: Settings['webhookSecrets']): Verdict;
}

/** The member of a parsed payload at a path; undefined where there is none. */
export function memberAt(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, field) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, field)
        ? (inner as Record<string, unknown>)[field]
        : undefined,
    value,
  );
}

/** The JSON of a body; undefined where it is none. */
export function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    return undefined;
  }
}

/** Those of the values that are addresses. */
export function addresses(...values: readonly unknown[]): string[] {
  return [
    ...new Set(
      values.filter((value): value is string => typeof value === 'string' && value !== '' && value.length < 2_048),
    ),
  ];
}
