import assert from 'node:assert/strict';
import type { Application } from '@mooring/crds';
import { annotation } from '@mooring/operator/model/annotations.ts';
import { applicationsPath } from './applications.ts';
import { patienceMs, type Stage } from './stage.ts';

/**
 * Kills the operator and starts another, which must say of every Application what the one before said, times apart. Each of them looks at all of them first. What
 * waits for something and what is on its way says the same, too; an Application that is just being deleted is left out.
 */
export async function assertRestartsAlike(stage: Stage): Promise<void> {
  await lookAtAll(stage);
  const before = statuses(stage);
  await stage.restartOperator('kill');
  await lookAtAll(stage);
  assert.deepEqual(statuses(stage), before, 'a process that has just started says the same');
}

async function lookAtAll(stage: Stage): Promise<void> {
  const asked = new Map<string, number>();
  for (const name of Object.keys(statuses(stage))) {
    const metadata = { annotations: { [annotation.refresh]: 'normal' } };
    const stored = await stage.kube.merge(`${applicationsPath}/${name}`, { metadata });
    asked.set(name, Number(stored.metadata.resourceVersion));
  }
  await stage.view.until(
    'every Application is looked at',
    (apps) =>
      [...asked].every(([name, version]) => {
        const metadata = apps.get(name)?.metadata;
        const isSeen = Number(metadata?.resourceVersion) >= version;
        return metadata === undefined || (isSeen && metadata.annotations?.[annotation.refresh] === undefined);
      }),
    patienceMs,
  );
}

function statuses({ view }: Stage): Record<string, unknown> {
  const told = view
    .all()
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata, status }): [string, unknown] => [metadata.name ?? '', timeless(status)]);
  return Object.fromEntries(told);
}

function timeless(status: Application['status']): unknown {
  return JSON.parse(JSON.stringify(status ?? null).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time'));
}
