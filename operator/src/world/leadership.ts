/** The replica that leads. */
export interface Leader {
  readonly name: string;
  /** Where it takes deliveries, `http://IP:PORT`; undefined where it did not say. */
  readonly address: string | undefined;
}

/**
 * Which of several replicas acts. At most one leads; the others look on and keep what they know warm, so that each of them can go on at once. Where there
 * is one replica only, it leads until it stops.
 */
export interface Leadership {
  /** Whether this replica leads at this very moment. A write is held against it once more when it goes out: it fails as `not-leading`. */
  leads(): boolean;
  /** The replica that leads, where it is another one; undefined where none is known. */
  leader(): Leader | undefined;
  /** Calls `listener` each time that this replica begins to lead, and each time that it leads no more. */
  subscribe(listener: (leads: boolean) => void): () => void;
  /** Set where nothing is ever written: what would be is told instead. */
  readonly isReadOnly?: boolean;
}
