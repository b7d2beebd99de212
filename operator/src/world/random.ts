/** The one source of randomness. */
export interface Random {
  /** At least 0, below 1. */
  next(): number;
  /** A short id, unique in this process's life, such as a correlation id. */
  id(): string;
}
