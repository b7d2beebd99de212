/** Argo CD's health states, best first, as they are ranked for an Application. */
export type HealthStatusCode = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';

export const healthOrder: readonly HealthStatusCode[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

export interface Health {
  readonly status: HealthStatusCode;
  readonly message?: string;
}
