import { createFleet } from '@mooring/operator/adapters/telemetry/testdata/fleet.ts';

const applications = 1_000;
const clusters = 5;
const warmUps = 3;

/** Milliseconds of the processor that one scrape takes, run after run, of an operator that looks after 1,000 Applications on 5 clusters. */
export async function scrapeTimes(runs: number): Promise<number[]> {
  const { metrics } = createFleet(applications, clusters);
  const times: number[] = [];
  for (let run = -warmUps; run < runs; run += 1) {
    const before = process.cpuUsage();
    const { body } = await metrics.scrape('application/openmetrics-text');
    // As it goes to the network.
    Buffer.from(body);
    const { user, system } = process.cpuUsage(before);
    if (run >= 0) times.push((user + system) / 1_000);
  }
  return times;
}
