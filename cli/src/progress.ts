const quietMs = 1_000;
const stepMs = 100;

/** Runs `work`; once it takes longer than a second, a line on standard error says what it is and for how long, if that is a terminal. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work();
  const started = performance.now();
  let shown = false;
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - started;
    if (elapsedMs < quietMs) return;
    shown = true;
    const elapsed = ` … ${(elapsedMs / 1_000).toFixed(1)} s`;
    // A line that wraps could not be taken back.
    const room = Math.max(0, (process.stderr.columns || 80) - 1 - elapsed.length);
    process.stderr.write(`\r\x1b[K${what.slice(0, room)}${elapsed}`);
  }, stepMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (shown) process.stderr.write('\r\x1b[K');
  }
}
