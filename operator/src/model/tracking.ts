import type { Application } from '@mooring/crds';

/** The name that tracking ids give an Application: its own, with its namespace in front where that is not the control plane's. */
export function trackingName(app: Application, controlPlaneNamespace: string): string {
  const { name = '', namespace = '' } = app.metadata;
  return namespace === '' || namespace === controlPlaneNamespace ? name : `${namespace}_${name}`;
}
