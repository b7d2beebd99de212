/** One line of Git's wire format: its bytes, or one of the special packets. */
export type Packet = Buffer | 'flush' | 'delimiter' | 'end';

const specials: readonly Packet[] = ['flush', 'delimiter', 'end'];

/** The largest packet, in bytes, its four length digits included. */
const packetBytes = 65_520;

/** What stands between a client and a server that does not keep to Git's wire format. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** A server's own word that it cannot do what was asked, without the credentials that it was asked with. */
export class ServerComplaint extends Error {
  override readonly name = 'ServerComplaint';
  readonly said: string;

  constructor(said: string) {
    super(`the server says: ${said}`);
    this.said = said;
  }
}

/** Writes lines and special packets in Git's wire format (gitprotocol-common, pkt-line). */
export function encodePackets(packets: readonly (string | 'flush' | 'delimiter')[]): Buffer {
  return Buffer.concat(
    packets.map((packet) => {
      if (packet === 'flush') return Buffer.from('0000');
      if (packet === 'delimiter') return Buffer.from('0001');
      const line = Buffer.from(`${packet}\n`);
      return Buffer.concat([Buffer.from((line.length + 4).toString(16).padStart(4, '0')), line]);
    }),
  );
}

/** Cuts a stream of bytes into packets. Throws `MalformedAnswer` where it is none, or ends inside one. */
export async function* readPackets(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Packet> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    held =
      held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.length - at >= 4) {
      const digits = held.toString('latin1', at, at + 4);
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
      if (length < 0 || length === 3 || length > packetBytes)
        throw new MalformedAnswer('the answer is not one of a Git server');
      if (length < 3) {
        yield specials[length] as Packet;
        at += 4;
        continue;
      }
      if (held.length - at < length) break;
      yield held.subarray(at + 4, at + length);
      at += length;
    }
    held = held.subarray(at);
  }
  if (held.length > 0) throw new MalformedAnswer('the answer ends early');
}

/** A packet's text without the line feed at its end. */
export function lineOf(packet: Buffer): string {
  const end = packet.at(-1) === 0x0a ? packet.length - 1 : packet.length;
  return packet.toString('utf8', 0, end);
}
