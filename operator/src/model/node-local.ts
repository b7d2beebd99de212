/** A range of addresses that mean another place on every machine, in binary digits from the left. */
interface Range {
  readonly what: string;
  /** 32 bits of IPv4 or 128 of IPv6, as a number. */
  readonly from: bigint;
  /** Bits that are the same in all of it. */
  readonly bits: number;
}

/**
 * What IPv4 has for the machine itself and its link (RFC 6890). The services that tell whoever asks on a node who the node is are link-local, but for those of
 * Alibaba Cloud, Azure and Oracle Cloud.
 */
const ranges4: readonly Range[] = [
  { what: 'unspecified', from: 0n, bits: 8 },
  { what: 'loopback', from: ipv4('127.0.0.0'), bits: 8 },
  { what: 'link-local', from: ipv4('169.254.0.0'), bits: 16 },
  { what: 'the metadata service', from: ipv4('100.100.100.200'), bits: 32 },
  { what: 'the metadata service', from: ipv4('168.63.129.16'), bits: 32 },
  { what: 'the metadata service', from: ipv4('192.0.0.192'), bits: 32 },
];

/** The same of IPv6; the metadata services are those of AWS, Google Cloud and Scaleway. */
const ranges6: readonly Range[] = [
  { what: 'unspecified', from: 0n, bits: 128 },
  { what: 'loopback', from: 1n, bits: 128 },
  { what: 'link-local', from: 0xfe80n << 112n, bits: 10 },
  { what: 'the metadata service', from: 0xfd000ec2n << 96n, bits: 32 },
  { what: 'the metadata service', from: (0xfd2000cen << 96n) | 0x254n, bits: 128 },
  { what: 'the metadata service', from: (0xfd000042n << 96n) | 0x42n, bits: 128 },
];

/** Where an address of IPv6 holds one of IPv4: mapped, compatible and translated ones (RFC 4291, 6052, 8215, 2765), and 6to4 (RFC 3056). */
const holders: readonly (Omit<Range, 'what'> & { readonly shift: bigint })[] = [
  { from: 0n, bits: 96, shift: 0n },
  { from: 0xffffn << 32n, bits: 96, shift: 0n },
  { from: 0xffffn << 48n, bits: 96, shift: 0n },
  { from: 0x64ff9bn << 96n, bits: 96, shift: 0n },
  { from: 0x64ff9b0001n << 80n, bits: 48, shift: 0n },
  { from: 0x2002n << 112n, bits: 16, shift: 80n },
];

/** Names that lead there, for whoever resolves them on our behalf. */
const localName =
  /^(?:(?:.*\.)?localhost|localhost\.localdomain|ip6-(?:localhost|loopback)|metadata\.google\.internal|metadata\.azure\.internal|instance-data\.ec2\.internal)$/;

/**
 * What a host is, if it means the machine or its link and not a place in the network: `loopback`, `link-local`, `unspecified` or `the metadata service`;
 * undefined for everything else. `host` is a name in lower case without a dot at its end, or an address of IPv4 as four numbers or of IPv6, with or without
 * brackets.
 */
export function nodeLocal(host: string): string | undefined {
  const text = host.replace(/^\[|\]$/g, '').replace(/%[\s\S]*$/, '');
  if (/^[\d.]+$/.test(text)) return rangeOf(ranges4, ipv4(text), 32);
  if (!text.includes(':')) return localName.test(text) ? 'this machine' : undefined;
  const address = ipv6(text);
  const own = rangeOf(ranges6, address, 128);
  if (own !== undefined) return own;
  const held = holders.find((range) => isIn(range, address, 128));
  return held && rangeOf(ranges4, (address >> held.shift) & 0xffffffffn, 32);
}

function rangeOf(ranges: readonly Range[], address: bigint, length: number): string | undefined {
  return ranges.find((range) => isIn(range, address, length))?.what;
}

function isIn({ from, bits }: Omit<Range, 'what'>, address: bigint, length: number): boolean {
  const rest = BigInt(length - bits);
  return address >> rest === from >> rest;
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  // The last two groups may be written as IPv4.
  const hex = text.replace(/(?<![\d.])[\d.]+$/, (tail) => {
    if (!tail.includes('.')) return tail;
    const number = ipv4(tail);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [left = '', right] = hex.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(left);
  const after = groups(right ?? '');
  const zeros = Array.from({ length: right === undefined ? 0 : 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
