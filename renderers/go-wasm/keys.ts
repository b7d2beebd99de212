import { generateKeyPairSync } from 'node:crypto';

/** Bits of a key that an engine may ask for. */
const bitsAtMost = 8_192;

/** The answer to an engine that wants an RSA key of so many bits: `+` and the private key, PKCS #1 in DER, or `!` and a fault as JSON. */
export function newKey(text: string): Uint8Array {
  const bits = Number(text);
  if (!Number.isInteger(bits) || bits < 512 || bits > bitsAtMost) {
    const message = `an RSA key of ${text} bits cannot be made; at most ${bitsAtMost} are`;
    return Buffer.from(`!${JSON.stringify({ code: 'build', message })}`);
  }
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'pkcs1', format: 'der' },
    privateKeyEncoding: { type: 'pkcs1', format: 'der' },
  });
  return Buffer.concat([Buffer.from('+'), privateKey]);
}
