import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from './arch.ts';
import type { Layer } from './layer.ts';
import { type FileEntry, tarOf } from './tar.ts';

/** How a container of an image starts, in OCI's own names (image-spec, config.md). */
export interface ContainerConfig {
  readonly User: string;
  readonly ExposedPorts: Readonly<Record<string, object>>;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** An image for one kind of machine. */
export interface OciImage {
  readonly arch: Arch;
  readonly layers: readonly Layer[];
  readonly config: Buffer;
  readonly manifest: Buffer;
  /** Of the manifest: `sha256:…`. */
  readonly digest: string;
}

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Puts layers together. `created` is RFC 3339; the labels are annotations of the manifest, too. */
export function imageOf(arch: Arch, layers: readonly Layer[], container: ContainerConfig, created: string): OciImage {
  const config = json({
    created,
    architecture: arch,
    os: 'linux',
    config: container,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ name }) => ({ created, created_by: 'make image', comment: name })),
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: mediaTypes.layer, digest, size })),
    annotations: container.Labels,
  });
  return { arch, layers, config, manifest, digest: digestOf(manifest) };
}

/** Digest of the index that `writeLayout` writes. */
export function indexOf(images: readonly OciImage[], annotations: Readonly<Record<string, string>>): Buffer {
  return json({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: images.map((image) => manifestDescriptor(image)),
    annotations,
  });
}

/** Writes an OCI image layout (image-spec, image-layout.md) with one index of all images, in place of what is in the folder. */
export async function writeLayout(
  folder: string,
  index: Buffer,
  images: readonly OciImage[],
  reference: string,
): Promise<void> {
  const scratch = `${folder}.new`;
  const blobs = join(scratch, 'blobs', 'sha256');
  await rm(scratch, { recursive: true, force: true });
  await mkdir(blobs, { recursive: true });
  const descriptor = { mediaType: mediaTypes.index, digest: digestOf(index), size: index.length };
  await writeFile(join(blobs, hexOf(descriptor.digest)), index);
  for (const { config, manifest, layers } of images) {
    for (const blob of [config, manifest]) await writeFile(join(blobs, hexOf(digestOf(blob))), blob);
    for (const { digest, path } of layers) await copyFile(path, join(blobs, hexOf(digest)));
  }
  for (const [name, content] of Object.entries(layoutFiles([descriptor], reference))) {
    await writeFile(join(scratch, name), content);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(scratch, folder);
}

/** Writes an image as one file, which `ctr images import`, `docker load` and `podman load` take. */
export async function writeArchive(path: string, image: OciImage, reference: string): Promise<void> {
  const { config, manifest, layers } = image;
  const blob = (digest: string): string => `blobs/sha256/${hexOf(digest)}`;
  const files: Record<string, FileEntry> = {};
  for (const [name, content] of Object.entries(layoutFiles([manifestDescriptor(image)], reference))) {
    files[`/${name}`] = { content };
  }
  for (const one of [config, manifest]) files[`/${blob(digestOf(one))}`] = { content: one };
  for (const layer of layers) files[`/${blob(layer.digest)}`] = { content: await readFile(layer.path) };
  // What older versions of Docker look for.
  const docker = [
    { Config: blob(digestOf(config)), RepoTags: [reference], Layers: layers.map(({ digest }) => blob(digest)) },
  ];
  files['/manifest.json'] = { content: json(docker) };
  await writeFile(`${path}.new`, tarOf(files));
  await rename(`${path}.new`, path);
}

function manifestDescriptor({ arch, manifest, digest }: OciImage): object {
  return {
    mediaType: mediaTypes.manifest,
    digest,
    size: manifest.length,
    platform: { architecture: arch, os: 'linux' },
  };
}

/** The two files that tell what a layout holds. Containerd takes the whole name from an annotation of its own; OCI's has the tag only. */
function layoutFiles(descriptors: readonly object[], reference: string): Record<string, Buffer> {
  const annotations = {
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  };
  return {
    'index.json': json({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: descriptors.map((descriptor) => ({ ...descriptor, annotations })),
    }),
    'oci-layout': json({ imageLayoutVersion: '1.0.0' }),
  };
}

/** `sha256:…` of a blob. */
export function digestOf(blob: Buffer): string {
  return `sha256:${createHash('sha256').update(blob).digest('hex')}`;
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
