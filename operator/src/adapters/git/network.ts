import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { nodeLocal } from '../../model/node-local.ts';
import { canonicalHost } from '../../model/repository-url.ts';

/** A host that means this machine or its link; `address` is what its name stands for. */
export class HostRefused extends Error {
  override readonly name = 'HostRefused';

  constructor(host: string, what: string, address?: string) {
    super(address === undefined ? `${host} is ${what}` : `${host} is at ${address}, which is ${what}`);
  }
}

/** Which hosts are connected to. */
export interface Network {
  /** Throws `HostRefused` for a name or an address, as `RepositoryAddress` has it, that needs no look-up to be told. */
  refuse(host: string): void;
  /** Looks names up for connections, which then go to the very addresses that were looked at; undefined where any will do. Fails with `HostRefused`. */
  readonly lookup: LookupFunction | undefined;
  /**
   * The address that a program of its own has to connect to; undefined where it may look the host up by itself, or the host is one. Throws `HostRefused`, and
   * what a look-up throws.
   */
  pin(host: string): Promise<string | undefined>;
}

/** Host and port of a proxy; undefined where a text names none. The port that goes without saying is libcurl's. */
export function proxyOf(proxy: string): { readonly host: string; readonly port: string } | undefined {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || url.hostname === '') return undefined;
  const { hostname, port, protocol } = url;
  return { host: canonicalHost(hostname) ?? hostname, port: port || (protocol === 'https:' ? '443' : '1080') };
}

/** Every host, for tests and for repositories on one's own machine. */
export const everyHost: Network = { refuse: () => {}, lookup: undefined, pin: async () => undefined };

/**
 * Every host but those that mean this machine and its link, in whatever notation and by whatever name: what listens there trusts whoever asks, above all the
 * services that give a node its credentials. A name must have no such address, not even as one of several.
 */
export function otherHosts(resolve: LookupFunction = lookup): Network {
  const refuse = (host: string): void => {
    const what = nodeLocal(host);
    if (what !== undefined) throw new HostRefused(host, what);
  };
  const guarded: LookupFunction = (host, options, answer) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error !== null) return answer(error, '');
      const addresses = Array.isArray(found) ? found : [];
      for (const { address } of addresses) {
        const what = nodeLocal(address);
        if (what !== undefined) return answer(new HostRefused(host, what, address), '');
      }
      const [first] = addresses;
      if (first === undefined)
        return answer(Object.assign(new Error(`no address of ${host}`), { code: 'ENOTFOUND' }), '');
      if (options.all === true) answer(null, addresses);
      else answer(null, first.address, first.family);
    });
  };
  return {
    refuse,
    lookup: guarded,
    async pin(host) {
      refuse(host);
      if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) return undefined;
      return new Promise((done, fail) => {
        guarded(host, {}, (error, address) => (error === null ? done(String(address)) : fail(error)));
      });
    },
  };
}
