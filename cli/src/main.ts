import { Fault } from '@mooring/operator/model/fault.ts';
import { RenderError } from '@mooring/renderer-contract';
import { Command, CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { addDiff } from './commands/diff.ts';
import { addHealth } from './commands/health.ts';
import { addRender } from './commands/render.ts';
import { exitCode, Failure, systemCode } from './failure.ts';
import { tell } from './print.ts';

function createProgram(): Command {
  const program = new Command('mooring')
    .description('Looks at what Mooring would do, from here and without the operator.')
    .version(packageJson.version)
    .exitOverride()
    .showHelpAfterError('Run it with --help for what it takes.')
    .addHelpText(
      'after',
      `
Examples:
  mooring render services/cart/overlays/dev       what a folder renders to
  mooring health -f pods.yaml                     the health of objects in files
  mooring diff cart-dev                           what a sync would change in the cluster

Exit codes:
  0  done
  1  done, and there is something to see to (differences, unreadable files)
  2  not done: wrong arguments, or an error that is printed`,
    );
  for (const add of [addRender, addHealth, addDiff]) add(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

/** Says what went wrong, in one sentence where it was to be expected. */
function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCode.done : exitCode.failed;
  const expected = thrown instanceof Failure || thrown instanceof Fault || thrown instanceof RenderError;
  if (expected) tell(thrown.message);
  else tell(`this is a bug in mooring: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
  return exitCode.failed;
}

// Whoever reads our output may stop when it has seen enough, as `head` does.
process.stdout.on('error', (error) => {
  if (systemCode(error) !== 'EPIPE') throw error;
  process.exit(exitCode.done);
});

try {
  await createProgram().parseAsync();
} catch (thrown) {
  process.exitCode = report(thrown);
}
