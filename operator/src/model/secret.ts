import type { KubeObject } from '@mooring/renderer-contract';
import { isJsonObject, setOwn } from './json.ts';

/**
 * A Secret with its `stringData` in `data`, as the server stores it; other objects as they are. Applied as `stringData`, the values would be owned
 * under that name: an edit of `data` would be no conflict, and leaving a value out would not remove it. A Secret with a value that is no text
 * stays as it is, for the server to refuse what the user wrote.
 */
export function withPlainData(object: KubeObject): KubeObject {
  const { stringData, data, ...rest } = object;
  if (object.apiVersion !== 'v1' || object.kind !== 'Secret' || !isJsonObject(stringData)) return object;
  if (!Object.values(stringData).every((value) => typeof value === 'string')) return object;
  const stored: Record<string, unknown> = isJsonObject(data) ? { ...data } : {};
  for (const [name, value] of Object.entries(stringData)) setOwn(stored, name, base64(String(value)));
  return { ...rest, data: stored } as KubeObject;
}

function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
