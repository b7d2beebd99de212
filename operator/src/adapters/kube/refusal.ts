import type { KubeObject } from '@mooring/renderer-contract';
import { Fault, type FaultCode, type FaultData } from '../../model/fault.ts';
import { objectAt } from '../../model/json.ts';
import { authorizationValues, mask, maskUserInformation, maskValues } from '../../model/mask.ts';
import { isSecretLike, secretTexts } from '../../model/secret.ts';
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

/** What a refusal is made of, beside the request. */
export interface Refusal {
  readonly httpStatus: number;
  readonly body: string;
  /** Characters of the message. */
  readonly messageLength: number;
  readonly retryAfterMs?: number | undefined;
  /** The `Authorization` header that was sent: whoever answers may repeat it. */
  readonly authorization?: string | undefined;
}

/**
 * The fault that an answer with a status of 400 or more stands for. Its message is the API server's own, without the credentials that were sent; of a Secret only
 * what cannot hold a value: sentences of the API server that are made of names, and the fields that it refuses.
 */
export function refusalOf(request: KubeRequest, refusal: Refusal): Fault {
  const { httpStatus, body, messageLength, retryAfterMs, authorization } = refusal;
  const status = readStatus(body);
  const code = codeOf(request, httpStatus, status);
  const { carries } = request;
  // Cut first, as taking out values takes time; with more than will be shown, so that a value at its end is known whole.
  const said = messageIn(status, httpStatus, body).slice(0, 2 * messageLength);
  const safe = carries === undefined || !isSecretLike(carries) ? said : ofSecret(carries, httpStatus, status, said);
  const message = maskUserInformation(maskValues(safe, authorizationValues(authorization)));
  return new Fault(code, `${request.subject}: ${message}`.slice(0, messageLength), {
    ...dataOf(request, httpStatus, status),
    retryAfterMs,
  });
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

/** Sentences of the API server's own about a write that hold names and no value, behind the name of what they are about. */
const namesOnly = [
  /^[\w.-]+ "[^"]*" is forbidden: User "[^"]*" cannot \w+ resource "[^"]*" in API group "[^"]*"(?: in the namespace "[^"]*"| at the cluster scope)?$/,
  /^[\w.-]+ "[^"]*" is forbidden: unable to create new content in namespace \S+ because it is being terminated$/,
  /^[\w.-]+ "[^"]*" is forbidden: exceeded quota: [\w.-]+, requested: [^"']*, used: [^"']*, limited: [^"']*$/,
  /^[\w.-]+ "[^"]*" (?:not found|already exists)$/,
  /^Operation cannot be fulfilled on [\w.-]+ "[^"]*": the object has been modified; please apply your changes to the latest version and try again$/,
  /^Request entity too large: limit is \d+$/,
];
const deniedBy =
  /^(?:admission webhook|ValidatingAdmissionPolicy) ["'][\w./-]+["'](?: with binding '[\w./-]+')? denied/;
/** Keys that the API server asks for by the type of a Secret. */
const keysByType: ReadonlySet<string> = new Set([
  ...['tls.crt', 'tls.key', '.dockercfg', '.dockerconfigjson', 'username', 'password', 'ssh-privatekey', 'token'],
]);

function ofSecret(secret: KubeObject, httpStatus: number, status: KubeStatus, said: string): string {
  if (status.message !== undefined && namesOnly.some((sentence) => sentence.test(said))) return said;
  const values = valuesOf(secret);
  const isAboutContent = httpStatus === 400 || httpStatus === 422 || httpStatus >= 500;
  // Where a word of the message is a value as well, to hide the word would tell the value.
  const isPlain = values !== undefined && maskValues(said, values.filter(isWord)) === said;
  if (!isAboutContent && status.message !== undefined && isPlain) return maskValues(said, values);
  const causes = status.details?.causes ?? [];
  const fields = causes
    .slice(0, fieldsNamed)
    .map(({ field, reason }) => `${fieldOf(secret, field, values)} (${reason ?? 'invalid'})`);
  if (causes.length > fieldsNamed) fields.push(`and ${causes.length - fieldsNamed} more`);
  const by = deniedBy.exec(said)?.[0];
  const what = by === undefined ? `the API server refused it, ${status.reason ?? httpStatus}` : `${by} it`;
  const fixed = /field is immutable/.test(said) ? ', field is immutable' : '';
  const where = `${fields.length === 0 ? '' : `: ${fields.join(', ')}`}${fixed}`;
  return `${what}${where}; its message is left out, since it may repeat secret values`;
}

/** Characters of a Secret as JSON whose values are looked for; of a larger one no message is repeated that may hold some. */
const secretLength = 64 * 1024;
/** Fields that are named of those that were refused. */
const fieldsNamed = 8;

function valuesOf(secret: KubeObject): string[] | undefined {
  if (JSON.stringify(secret).length > secretLength) return undefined;
  const { name = '', namespace = '' } = secret.metadata;
  return [...secretTexts(secret)].filter((text) => text !== name && text !== namespace);
}

function isWord(value: string): boolean {
  return value.length < 4 || /^(?:[A-Za-z]{1,15}|\d{1,15})$/.test(value);
}

/** A field with the key in its brackets, where it is one that the Secret has or should have. */
function fieldOf(secret: KubeObject, field: string | undefined, values: readonly string[] | undefined): string {
  if (field === undefined) return 'object';
  const key = /^[^[]*\[(.*)\]/s.exec(field)?.[1];
  if (values === undefined)
    return key !== undefined && keysByType.has(key) ? field : (/^[A-Za-z.]*/.exec(field)?.[0] ?? 'object');
  const keys = ['data', 'stringData'].flatMap((name) => Object.keys(objectAt(secret, name) ?? {}));
  if (key === undefined || keysByType.has(key)) return field;
  // A key may hold the value; a value that is a word may stand in any key.
  if (keys.includes(key))
    return maskValues(
      field,
      values.filter((value) => !isWord(value)),
    );
  return values.includes(key)
    ? field.replace(/^([^[]*)\[.*\]/s, (_, before: string) => `${before}[${mask}]`)
    : maskValues(field, values);
}

function dataOf(request: KubeRequest, httpStatus: number, status: KubeStatus): FaultData {
  return {
    httpStatus,
    reason: status.reason,
    method: request.method,
    clashes: clashesOf(status),
    ...(request.key === undefined
      ? { path: request.path }
      : { group: request.key.group, kind: request.key.kind, namespace: request.key.namespace, name: request.key.name }),
  };
}

/** How many refused fields are told in a fault's data. */
const clashesAtMost = 50;

/** What the API server says of fields of list items that may clash with other items: `FieldValueDuplicate spec.ports[2].name`, one a line; undefined where it says nothing of the kind. */
function clashesOf({ details }: KubeStatus): string | undefined {
  const causes = (details?.causes ?? []).filter(
    ({ reason = '', field = '' }) =>
      /^FieldValue(?:Duplicate|Required)$/.test(reason) && /^[\w.[\]]*\[\d+\]\.\w+$/.test(field),
  );
  if (causes.length === 0) return undefined;
  const told = causes.slice(0, clashesAtMost).map(({ reason, field }) => `${reason} ${field}`);
  return told.join('\n');
}

/** The lists of a manifest that have a key more than once, in the API server's words, where that is why server-side apply does not take it; else undefined. */
export function repeatedKeysIn({ message }: Fault): string | undefined {
  const said = /: failed to create typed (?:patch|live) object \([^()]*\): (.*duplicate entries for key .*)$/s.exec(
    message,
  )?.[1];
  const lines = said?.replace(/^errors:\s*/, '').split('\n');
  return lines?.map((line) => line.trim()).join(', ');
}
