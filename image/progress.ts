/** Says how far a long step is, one line at a time. */
export type Progress = (line: string) => void;

/** Runs a step, and says every few seconds that it still runs, and how long it took where that was more than a second. */
export async function step<T>(onProgress: Progress, what: string, run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = (): string => `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  const soon = setTimeout(() => onProgress(`${what} …`), 1_000);
  const tick = setInterval(() => onProgress(`${what}, ${seconds()}`), 5_000);
  try {
    const result = await run();
    if (performance.now() - started > 1_000) onProgress(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearTimeout(soon);
    clearInterval(tick);
  }
}
