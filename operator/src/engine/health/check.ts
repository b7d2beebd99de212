import type { KubeObject } from '@mooring/renderer-contract';
import type { Health } from '../../model/health.ts';

/** The health of one object of a kind; undefined where the object says nothing about it. Missing fields count as zero, as in Go. */
export type HealthCheck = (object: KubeObject) => Health | undefined;

export function healthy(message?: string): Health {
  return health('Healthy', message);
}

export function progressing(message?: string): Health {
  return health('Progressing', message);
}

export function degraded(message?: string): Health {
  return health('Degraded', message);
}

export function suspended(message?: string): Health {
  return health('Suspended', message);
}

export function unknown(message?: string): Health {
  return health('Unknown', message);
}

function health(status: Health['status'], message: string | undefined): Health {
  return message === undefined || message === '' ? { status } : { status, message };
}
