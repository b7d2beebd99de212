/** How the operator's own cluster is addressed. */
export const ownServer = 'https://kubernetes.default.svc';
/** Its name where no Secret gives it another. */
export const ownName = 'in-cluster';
