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

/** Health of an Application: the message tells every cause and its reason, up to a limit. */
export interface AppHealth extends Health {
  /** Names of the objects that it comes from, as they stand in the message; none while Healthy, and none where everything is missing. */
  readonly causes: readonly string[];
}
