import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import { listAt, numberAt, textAt } from '../../model/json.ts';

type LinkMaker = (object: KubeObject) => readonly string[];

/** Kinds whose specs say under which addresses an Application is reached, by `group/Kind`. */
const makers: ReadonlyMap<string, LinkMaker> = new Map([
  ['networking.k8s.io/Ingress', linksOfIngress],
  ['extensions/Ingress', linksOfIngress],
  ['gateway.networking.k8s.io/Gateway', linksOfGateway],
]);

/** Whether objects of a kind have links that their metadata does not tell. */
export function hasLinks(group: string, kind: string): boolean {
  return makers.has(`${group}/${kind}`);
}

/**
 * Addresses that one live object adds to `status.summary.externalURLs`, each once and sorted; undefined where there is none. Annotations
 * `link.argocd.argoproj.io/NAME` hold an http or https address, or `title|address`; `argocd.argoproj.io/ignore-default-links: "true"` leaves only those
 * (argo-cd.readthedocs.io, user-guide/external-url).
 */
export function linksOf(object: KubeObject): readonly string[] | undefined {
  const { annotations } = object.metadata;
  const links = new Set(annotatedLinks(annotations));
  const slash = object.apiVersion.indexOf('/');
  const make = makers.get(`${object.apiVersion.slice(0, Math.max(0, slash))}/${object.kind}`);
  if (make !== undefined && annotations?.[annotation.ignoreDefaultLinks] !== 'true') {
    for (const link of make(object)) links.add(link);
  }
  return links.size === 0 ? undefined : [...links].sort();
}

/** The values of an object's link annotations that are safe to open. */
export function annotatedLinks(annotations: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(annotations ?? {})
    .filter(([name, value]) => name.startsWith(annotation.linkPrefix) && isWebAddress(value))
    .map(([, value]) => value);
}

function isWebAddress(value: string): boolean {
  return /^https?:\/\//i.test(value.slice(value.indexOf('|') + 1).trim());
}

function linksOfIngress(object: KubeObject): string[] {
  const [place] = listAt(object, 'status', 'loadBalancer', 'ingress');
  const balancer = textAt(place, 'hostname') || textAt(place, 'ip');
  const tls = listAt(object, 'spec', 'tls');
  return listAt(object, 'spec', 'rules').flatMap((rule) => {
    const host = textAt(rule, 'host') || balancer;
    if (!host) return [];
    const isSecure = tls.some((entry) => textAt(entry, 'secretName') || listAt(entry, 'hosts').includes(host));
    return listAt(rule, 'http', 'paths').map(
      (path) => `${isSecure ? 'https' : 'http'}://${host}${(textAt(path, 'path') ?? '').replace(/\*$/, '')}`,
    );
  });
}

function linksOfGateway(object: KubeObject): string[] {
  const addresses = listAt(object, 'status', 'addresses').map((address) => textAt(address, 'value'));
  return listAt(object, 'spec', 'listeners').flatMap((listener) => {
    const hostname = textAt(listener, 'hostname');
    const isSecure = ['HTTPS', 'TLS'].includes(textAt(listener, 'protocol') ?? '');
    const number = numberAt(listener, 'port');
    const port = number === undefined || number === (isSecure ? 443 : 80) ? '' : `:${number}`;
    const hosts = hostname && hostname !== '*' ? [hostname] : addresses;
    return hosts.filter((host) => host).map((host) => `${isSecure ? 'https' : 'http'}://${host}${port}`);
  });
}
