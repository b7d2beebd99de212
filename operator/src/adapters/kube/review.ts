import { Fault } from '../../model/fault.ts';
import type { KubeClient } from './client.ts';
import type { KubeRequest } from './request.ts';

/** One thing that an account may be allowed to do; `''` as namespace or name stands for all. */
export interface Access {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
}

/** Asks whether the client's own account may do something (SelfSubjectAccessReview). Throws `Fault`. */
export async function mayDo(client: KubeClient, access: Access): Promise<boolean> {
  const answer = await review(client, 'authorization.k8s.io/v1', 'SelfSubjectAccessReview', {
    resourceAttributes: access,
  });
  return (answer as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true;
}

/** The client's own account in words, such as `the account system:serviceaccount:argocd:mooring` (SelfSubjectReview, Kubernetes 1.28). */
export async function whoAmI(client: KubeClient): Promise<string> {
  try {
    const answer = await review(client, 'authentication.k8s.io/v1', 'SelfSubjectReview', undefined);
    const { username } =
      (answer as { readonly status?: { readonly userInfo?: { readonly username?: string } } }).status?.userInfo ?? {};
    if (username !== undefined) return `the account ${username}`;
  } catch (thrown) {
    // An older server does not know it, and a stricter one does not tell: the name is a help, no more.
    if (!(thrown instanceof Fault)) throw thrown;
  }
  return "the operator's account";
}

function review(client: KubeClient, apiVersion: string, kind: string, spec: object | undefined): Promise<unknown> {
  const request: KubeRequest = {
    method: 'POST',
    path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
    query: {},
    accept: 'application/json',
    contentType: 'application/json',
    body: JSON.stringify({ apiVersion, kind, ...(spec && { spec }) }),
    repeatable: true,
    subject: kind,
  };
  return client.send(request);
}
