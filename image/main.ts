import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Arch, everyArch } from './arch.ts';
import { buildImages, imageFolder } from './build.ts';
import { updateLock } from './debian.ts';
import { nodeVersion } from './node.ts';

const usage = `Builds the container image.

  node image/main.ts [options]

  --arch ARCH    amd64 or arm64; default: both
  --locked       fail where Debian serves a package in another version than image/debian.lock.json has
  --update-lock  write what Debian serves now into that file, and build nothing
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string' },
      locked: { type: 'boolean' },
      'update-lock': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const onProgress = (line: string): void => console.log(`image: ${line}`);
  if (values['update-lock'] === true) {
    await updateLock(join(imageFolder, 'cache', 'debian'), onProgress);
    return;
  }
  if (process.versions.node !== nodeVersion) {
    onProgress(
      `Node ${process.versions.node} builds it, not ${nodeVersion}: layers may be compressed to other bytes, and so have another digest`,
    );
  }
  const arches = values.arch === undefined ? everyArch : [archOf(values.arch)];
  const { digest, layout, images } = await buildImages({ arches, locked: values.locked ?? false, onProgress });
  for (const image of images) {
    for (const layer of image.layers) onProgress(`${megabytes(layer.size)} MB  ${layer.name}`);
    const total = image.layers.reduce((sum, { size }) => sum + size, 0);
    onProgress(`${megabytes(total)} MB  ${image.reference} for ${image.arch}, ${image.digest}`);
    onProgress(`  ${image.archive}, ${image.bill}`);
  }
  onProgress(`${layout}, ${digest}`);
}

function archOf(text: string): Arch {
  const found = everyArch.find((arch) => arch === text);
  if (found === undefined) throw new Error(`--arch ${text}: give ${everyArch.join(' or ')}`);
  return found;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1).padStart(5);
}

main().catch((thrown: unknown) => {
  process.stderr.write(`image: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
});
