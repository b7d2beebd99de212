import { Agent, type IncomingMessage, request } from 'node:http';
import { isIP } from 'node:net';
import type { HttpAnswer } from './server.ts';

/** Shows the replica that is handed something on that it comes from another one. */
export const sealHeader = 'mooring-seal';

/** Milliseconds for the whole exchange: Git hosts wait about 10 s. */
const timeoutMs = 5_000;
const answerBytes = 4_096;
const agent = new Agent({ keepAlive: false, maxSockets: 16 });

/** What is handed on. It travels in clear text: nothing secret is in it. */
export interface HandedOn {
  readonly body: Uint8Array;
  readonly seal: string | undefined;
}

/**
 * Hands something on to the replica at `address`, `http://IP:PORT`, and answers what that one answers. No proxy and no redirect is followed. Throws where the
 * address is another one, and where there is no whole answer of at most 4 KiB within 5 s.
 */
export async function handOn(address: string, path: string, { body, seal }: HandedOn): Promise<HttpAnswer> {
  const { host, port } = placeOf(address);
  const sent = request({
    agent,
    host,
    port,
    method: 'POST',
    path,
    headers: { 'content-length': body.length, ...(seal !== undefined && { [sealHeader]: seal }) },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject).end(body);
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > answerBytes) throw new Error(`the answer has more than ${answerBytes} bytes`);
    chunks.push(chunk);
  }
  return { status: answer.statusCode ?? 502, body: Buffer.concat(chunks).toString('utf8') };
}

/** Only an address that names no host: nothing is looked up, and nobody is reached by another name. */
function placeOf(address: string): { readonly host: string; readonly port: number } {
  const match = /^http:\/\/(?:\[([\da-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(address);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const isFitting = match?.[1] === undefined ? isIP(host) === 4 : isIP(host) === 6;
  if (!isFitting || port === 0 || port > 65_535) throw new Error(`${JSON.stringify(address)} is not http://IP:PORT`);
  return { host, port };
}
