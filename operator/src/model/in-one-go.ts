/** Does work that pauses by itself, without a pause: for whoever has little of it, or nobody else who waits. */
export function inOneGo<T>(work: Generator<unknown, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
