import type { KubeObject } from '@mooring/renderer-contract';
import { annotation } from '../../model/annotations.ts';
import { Fault, type FaultCode, type FaultData } from '../../model/fault.ts';
import type { KubeRequest } from './request.ts';

/** The `Status` that an API server answers instead of what was asked for. */
export interface KubeStatus {
  readonly kind?: string;
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly kind?: string;
    readonly group?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

/**
 * The fault that an answer with a status of 400 or more stands for. Its message is the API server's own, at most `messageLength` characters,
 * except for Secrets: there no value that was sent is repeated, and a refusal over the content names fields only.
 */
export function refusalOf(
  request: KubeRequest,
  httpStatus: number,
  body: string,
  messageLength: number,
  retryAfterMs?: number,
): Fault {
  const status = readStatus(body);
  const code = codeOf(request, httpStatus, status);
  const said =
    request.carries?.kind === 'Secret'
      ? maskedMessage(request.carries, httpStatus, status)
      : messageIn(status, httpStatus, body);
  const message = `${request.subject}: ${said}`.slice(0, messageLength);
  return new Fault(code, message, { ...dataOf(request, httpStatus, status), retryAfterMs });
}

/** The `Status` in a body; an empty one where there is none (a proxy's HTML page, a cut answer). */
export function readStatus(body: string): KubeStatus {
  if (!body.startsWith('{')) return {};
  try {
    const parsed = JSON.parse(body) as KubeStatus;
    return parsed.kind === 'Status' ? parsed : {};
  } catch {
    return {};
  }
}

function codeOf(request: KubeRequest, httpStatus: number, status: KubeStatus): FaultCode {
  if (httpStatus === 401) return 'cluster-refused';
  if (httpStatus === 403) return request.key === undefined ? 'cluster-refused' : 'object-refused';
  if (httpStatus === 404 || httpStatus === 410)
    return isWrite(request) && status.details?.kind === 'namespaces' ? 'object-refused' : 'object-missing';
  if (httpStatus === 409 || isOtherUid(status)) return 'object-conflict';
  if (httpStatus === 429 || httpStatus === 502 || httpStatus === 503 || httpStatus === 504)
    return 'cluster-unreachable';
  if (request.key !== undefined) return 'object-refused';
  return httpStatus >= 500 ? 'cluster-unreachable' : 'cluster-refused';
}

// A uid in the body of an apply is a precondition, but is refused as if it were an edit.
function isOtherUid(status: KubeStatus): boolean {
  return status.details?.causes?.some((cause) => cause.field === 'metadata.uid') ?? false;
}

function isWrite(request: KubeRequest): boolean {
  return request.method !== 'GET' && request.method !== 'DELETE';
}

function messageIn(status: KubeStatus, httpStatus: number, body: string): string {
  if (status.message !== undefined && status.message !== '') return status.message;
  const start = body.trim().slice(0, 200).replace(/\s+/g, ' ');
  return `the API server answered ${httpStatus}${start === '' ? '' : `: ${start}`}`;
}

function maskedMessage(secret: KubeObject, httpStatus: number, status: KubeStatus): string {
  const values = [...secretValues(secret)].sort((a, b) => b.length - a.length);
  const mask = (text: string): string => values.reduce((masked, value) => masked.replaceAll(value, '++++++++'), text);
  const isAboutContent = httpStatus === 400 || httpStatus === 422 || httpStatus >= 500;
  if (!isAboutContent && status.message !== undefined) return mask(status.message);
  const causes = status.details?.causes ?? [];
  const fields = causes.map((cause) => `${mask(cause.field ?? 'object')} (${cause.reason ?? 'invalid'})`).join(', ');
  const reason = `the API server refused it, ${status.reason ?? httpStatus}${fields === '' ? '' : `: ${fields}`}`;
  return `${reason}; its message is left out, since it may repeat secret values`;
}

function secretValues(secret: KubeObject): Set<string> {
  const values = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) collect(inner);
    } else if (value !== null && value !== undefined && String(value) !== '') {
      const text = String(value);
      values.add(text);
      const decoded = Buffer.from(text, 'base64').toString('utf8');
      if (decoded !== '') values.add(decoded);
    }
  };
  const { apiVersion: _version, kind: _kind, type: _type, metadata, ...content } = secret;
  collect(content);
  collect(metadata.annotations?.[annotation.lastApplied]);
  return values;
}

function dataOf(request: KubeRequest, httpStatus: number, status: KubeStatus): FaultData {
  return {
    httpStatus,
    reason: status.reason,
    method: request.method,
    ...(request.key === undefined
      ? { path: request.path }
      : { group: request.key.group, kind: request.key.kind, namespace: request.key.namespace, name: request.key.name }),
  };
}
