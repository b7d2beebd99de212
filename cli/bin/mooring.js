#!/usr/bin/env node
// Plain JavaScript, for the Node that happens to be there: it looks for one that runs TypeScript and hands over to it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const oldest = 24;
const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, '..', 'src', 'main.ts');
const own = join(here, '..', '..', '.tools', 'node', 'bin', 'node');

if (Number.parseInt(process.versions.node, 10) >= oldest) {
  await import('../src/main.ts');
} else if (existsSync(own)) {
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself, so the parent only has to outlive it.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`mooring: ${own} does not start: ${error.message}; delete .tools and run: make tools`);
    process.exitCode = 2;
  });
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
} else {
  console.error(
    `mooring: this is Node ${process.versions.node}, and mooring needs ${oldest} or newer. ` +
      'Run `make tools` in the repository to put one into .tools/, or install one from https://nodejs.org.',
  );
  process.exitCode = 2;
}
