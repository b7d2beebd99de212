import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the kernel says of a container's memory, in bytes. */
export interface ContainerMemory {
  /** Most that there may be. */
  readonly limit: number;
  /** Most that there was at once since the container began. */
  readonly peak: number;
  /** Processes that were killed for want of memory. */
  readonly kills: number;
}

/** Where containerd puts the cgroups of Kubernetes' containers, in version 1 and in version 2. */
const parents = ['/sys/fs/cgroup/memory/k8s.io', '/sys/fs/cgroup/k8s.io'];
const names = {
  memory: { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes', events: 'memory.oom_control' },
  unified: { limit: 'memory.max', peak: 'memory.peak', events: 'memory.events' },
};

/** Of a container of a node on this machine; `id` is what containerd calls it. Throws where it has no cgroup. */
export function containerMemory(id: string): ContainerMemory {
  const folder = parents.map((parent) => join(parent, id)).find((path) => existsSync(path));
  if (folder === undefined) throw new Error(`the container ${id} has no cgroup below ${parents.join(' or ')}`);
  const { limit, peak, events } = existsSync(join(folder, names.memory.peak)) ? names.memory : names.unified;
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    limit: Number(read(limit)),
    peak: Number(read(peak)),
    kills: Number(/^oom_kill (\d+)$/m.exec(read(events))?.[1] ?? Number.NaN),
  };
}
