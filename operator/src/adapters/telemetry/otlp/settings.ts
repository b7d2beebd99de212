import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { SpanAttributes } from '../../../world/tracer.ts';
import type { Receiver } from './sender.ts';

/** How traces are recorded, and where they go. */
export interface TracingSettings extends Receiver {
  readonly protocol: 'grpc' | 'http';
  /** Of every span's resource. */
  readonly attributes: SpanAttributes;
  /** Share of the traces that are recorded, 0 to 1; one that is a part of another is if that one is. */
  readonly sampleRatio: number;
  /** `xray`: the first 32 bits of a trace id are the time, as AWS X-Ray wants it. */
  readonly ids: 'w3c' | 'xray';
}

/** The flags about tracing as they were given; any of them may be missing. */
export interface TracingFlags {
  readonly 'otlp-address'?: string;
  readonly 'otlp-insecure'?: string;
  readonly 'otlp-headers'?: string;
  readonly 'otlp-attrs'?: string;
  readonly 'otlp-sample-ratio'?: string;
  readonly 'trace-ids'?: string;
}

/** The variables that Argo CD's manifests fill from the keys `otlp.…` of `argocd-cmd-params-cm`; a flag that is given goes before its variable. */
const variables = {
  'otlp-address': 'ARGOCD_APPLICATION_CONTROLLER_OTLP_ADDRESS',
  'otlp-insecure': 'ARGOCD_APPLICATION_CONTROLLER_OTLP_INSECURE',
  'otlp-headers': 'ARGOCD_APPLICATION_CONTROLLER_OTLP_HEADERS',
  'otlp-attrs': 'ARGOCD_APPLICATION_CONTROLLER_OTLP_ATTRS',
  'otlp-sample-ratio': 'ARGOCD_APPLICATION_CONTROLLER_OTLP_SAMPLE_RATIO',
} as const;

/** Headers that belong to the protocol. */
const reserved: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'grpc-timeout',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

/**
 * Reads the flags about tracing, and the variables in the place of those that are missing; undefined where there is no address, and so no tracing. Throws for one
 * that cannot be understood, and names it; values of headers are not repeated.
 */
export function readTracing(
  flags: TracingFlags,
  env: Readonly<Record<string, string | undefined>>,
): TracingSettings | undefined {
  const given = (name: keyof typeof variables): { readonly from: string; readonly text: string } => {
    const flag = flags[name];
    if (flag !== undefined) return { from: `--${name}`, text: flag.trim() };
    return { from: variables[name], text: (env[variables[name]] ?? '').trim() };
  };
  const ids = flags['trace-ids'] ?? 'w3c';
  if (ids !== 'w3c' && ids !== 'xray') throw new Error(`--trace-ids ${ids}: give w3c or xray`);
  const address = given('otlp-address');
  if (address.text === '') return undefined;
  return {
    ...readAddress(address, readInsecure(given('otlp-insecure'))),
    headers: readHeaders(given('otlp-headers')),
    attributes: readAttributes(given('otlp-attrs')),
    sampleRatio: readRatio(given('otlp-sample-ratio')),
    ids,
  };
}

interface Given {
  readonly from: string;
  readonly text: string;
}

/** `host:port` is OTLP/gRPC, as in Argo CD; an address with a scheme is OTLP/HTTP, whose path is `/v1/traces` where it has none. */
function readAddress({ from, text }: Given, insecure: boolean): Pick<TracingSettings, 'url' | 'protocol'> {
  const wanted = 'give host:port (OTLP/gRPC) or http://host:port (OTLP/HTTP)';
  if (/^https?:\/\//.test(text)) {
    const url = URL.parse(text);
    if (url === null) throw new Error(`${from} ${text}: ${wanted}`);
    if (url.username !== '' || url.password !== '')
      throw new Error(`${from} has a user in it; give --otlp-headers authorization=… instead`);
    if (url.pathname === '/') url.pathname = '/v1/traces';
    return { url, protocol: 'http' };
  }
  const url = URL.parse(`${insecure ? 'http' : 'https'}://${text}`);
  const isPlain = /^(?:\[[0-9a-f:.]+\]|[^/?#@[\]:\s]+):\d{1,5}$/i.test(text);
  if (url === null || !isPlain) throw new Error(`${from} ${text}: ${wanted}`);
  return { url, protocol: 'grpc' };
}

function readInsecure({ from, text }: Given): boolean {
  if (text === '') return true;
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  throw new Error(`${from} ${text}: give true or false`);
}

function readHeaders({ from, text }: Given): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of pairsOf(text)) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim().toLowerCase();
    const value = pair.slice(at + 1).trim();
    if (at < 1) throw new Error(`${from}: give name=value,name=value`);
    if (reserved.has(name) || name.startsWith(':'))
      throw new Error(`${from}: the header ${name} is set by the protocol`);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (thrown) {
      throw new Error(`${from}: a header called ${name} cannot be sent with this value`, { cause: thrown });
    }
    headers[name] = value;
  }
  return headers;
}

function readAttributes({ from, text }: Given): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of pairsOf(text)) {
    const at = pair.indexOf(':');
    if (at < 1) throw new Error(`${from} ${pair}: give name:value,name:value`);
    attributes[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return attributes;
}

function readRatio({ from, text }: Given): number {
  const ratio = text === '' ? 1 : Number(text);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw new Error(`${from} ${text}: give a number from 0 to 1`);
}

function pairsOf(text: string): string[] {
  return text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
}
