import { parseArgs } from 'node:util';
import { type SimulationOptions, type SimulationResult, simulate } from './scenario.ts';

const usage = `Plays seeds of the simulation: the controllers on simulated clusters, Git and people.

  node operator/sim/run.ts --seeds 200 [--from 1]    seeds one after the other
  node operator/sim/run.ts --seeds 2 --each-write    the same, once for every write of the operator, which dies before or after it
  node operator/sim/run.ts --seed 7 [--die-at 12 [--after]]   one seed, with its story
  … --replicas 2                                     with so many operators that share the work by a Lease
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    'each-write': { type: 'boolean', default: false },
    'die-at': { type: 'string' },
    after: { type: 'boolean', default: false },
    replicas: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

const replicas = Number(values.replicas);

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (values.seed !== undefined) return playOne(Number(values.seed));
  const first = Number(values.from);
  const last = first + Number(values.seeds) - 1;
  const startedAt = performance.now();
  let played = 0;
  let failed = 0;
  let passes = 0;
  const play = async (options: SimulationOptions): Promise<SimulationResult> => {
    const result = await simulate(options);
    played += 1;
    passes += result.passes;
    if (result.violations.length > 0) {
      failed += 1;
      process.stdout.write(`seed ${options.seed}: ${result.violations[0]}\n  replay: ${replay(options)}\n`);
    }
    return result;
  };
  for (let seed = first; seed <= last; seed += 1) {
    if (!values['each-write']) {
      await play({ seed, replicas });
      continue;
    }
    const { attempts } = await play({ seed, replicas, dieAtWrite: 0 });
    for (let write = 1; write <= attempts; write += 1) {
      for (const dieAfter of [false, true]) await play({ seed, replicas, dieAtWrite: write, dieAfter });
    }
  }
  const took = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`${played} runs, ${failed} failed, ${passes} passes over Applications, ${took} s\n`);
  if (failed > 0) process.exitCode = 1;
}

async function playOne(seed: number): Promise<void> {
  const dieAt = values['die-at'];
  const result = await simulate({
    seed,
    replicas,
    ...(dieAt !== undefined && { dieAtWrite: Number(dieAt), dieAfter: values.after }),
  });
  for (const note of result.notes) process.stdout.write(`${note}\n`);
  process.stdout.write(`${result.violations.length} violations, ${result.writes} writes, ${result.lives} lives\n`);
  if (result.violations.length > 0) process.exitCode = 1;
}

function replay({ seed, dieAtWrite, dieAfter, replicas = 1 }: SimulationOptions): string {
  const death = dieAtWrite === undefined ? '' : ` --die-at ${dieAtWrite}${dieAfter ? ' --after' : ''}`;
  return `node operator/sim/run.ts --seed ${seed}${replicas > 1 ? ` --replicas ${replicas}` : ''}${death}`;
}

await main();
