/** A range of IPv4 addresses: the first one as a number, and how many leading bits are fixed. */
interface Range {
  readonly first: number;
  readonly bits: number;
}

/** The blocks of one kind of subnet, one for each zone in order. */
export interface SubnetLayout {
  readonly privateBlocks: string[];
  readonly publicBlocks: string[];
  /** Left free inside each zone. */
  readonly reservedBlocks: string[];
  /** Left free, and in the last zone everything up to the end of the VPC: an exact layout leaves no gap unnamed. */
  readonly remainingBlocks: string[];
}

/** VPC sizes that leave every zone at least 123 private addresses, in fixed bits; `/16` is AWS's largest. */
export const vpcBits = { fewest: 16, most: 22 } as const;

/** MSK places brokers in two or three zones. */
export const zoneCounts = { fewest: 2, most: 3 } as const;

/** Private ranges; the last is for carrier-grade NAT and often used when the others are taken. */
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** DMS keeps this range for itself and can't reach a database in it. */
export const rangeOfDms = "192.168.0.0/24";

/** Why a VPC can't use this CIDR block, or undefined when it can. */
export function cidrBlockFault(block: string): string | undefined {
  const range = parse(block);
  if (!range) return "it is not an IPv4 block such as 10.0.0.0/16";
  if (range.bits < vpcBits.fewest || range.bits > vpcBits.most) {
    return `its size is not from /${vpcBits.fewest} to /${vpcBits.most}`;
  }
  if (format(range) !== block) return `its first address is not ${format(range)}`;
  if (!privateRanges.some((candidate) => contains(parse(candidate)!, range))) {
    return `it is in none of the private ranges ${privateRanges.join(", ")}`;
  }
  if (contains(range, parse(rangeOfDms)!)) return `it holds ${rangeOfDms}, which DMS keeps for itself`;
  return undefined;
}

/** Sizes that AWS allows a VPC, in fixed bits. */
const awsBits = { fewest: 16, most: 28 } as const;

/** Why the block of a VPC that is there can't be right, or can't be used, or undefined when it can. */
export function existingBlockFault(block: string): string | undefined {
  const range = parse(block);
  if (!range) return "it is not an IPv4 block such as 10.0.0.0/16";
  if (range.bits < awsBits.fewest || range.bits > awsBits.most) {
    return `no VPC has it: AWS allows /${awsBits.fewest} to /${awsBits.most}`;
  }
  if (format(range) !== block) return `its first address is not ${format(range)}`;
  if (contains(parse(rangeOfDms)!, range)) return `it lies in ${rangeOfDms}, which DMS keeps for itself`;
  return undefined;
}

/** Whether some addresses of a block, not all, are those that DMS keeps for itself. */
export function holdsRangeOfDms(block: string): boolean {
  const range = parse(block);
  return range !== undefined && contains(range, parse(rangeOfDms)!);
}

/**
 * Divides a VPC into four equal slots and gives a slot to each zone, whether two or three are used: half of it private,
 * a quarter public, a quarter free. A zone added later takes the next slot and moves nothing.
 *
 * @param block A block that {@link cidrBlockFault} accepts.
 * @param zones Two or three.
 */
export function subnetLayout(block: string, zones: number): SubnetLayout {
  const vpc = parse(block);
  if (!vpc) throw new Error(`Not an IPv4 block: ${block}`);
  const slots = Array.from({ length: zones }, (_, index) => part(vpc, 2, index));
  const isLast = (index: number) => index === zones - 1;
  return {
    privateBlocks: slots.map((slot) => format(part(slot, 1, 0))),
    publicBlocks: slots.map((slot) => format(part(slot, 2, 2))),
    reservedBlocks: slots.map((slot, index) => format(isLast(index) ? part(slot, 2, 3) : part(slot, 3, 6))),
    remainingBlocks: slots.map((slot, index) =>
      format(isLast(index) ? (zones === 2 ? part(vpc, 1, 1) : part(vpc, 2, 3)) : part(slot, 3, 7)),
    ),
  };
}

/** The index-th of the 2^moreBits equal parts of a range. */
function part(range: Range, moreBits: number, index: number): Range {
  const bits = range.bits + moreBits;
  return { first: range.first + index * 2 ** (32 - bits), bits };
}

function contains(outer: Range, inner: Range): boolean {
  return outer.bits <= inner.bits && firstOfBlock(inner.first, outer.bits) === outer.first;
}

function firstOfBlock(address: number, bits: number): number {
  const size = 2 ** (32 - bits);
  return Math.floor(address / size) * size;
}

function parse(block: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(block);
  if (!match) return undefined;
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number];
  if ([a, b, c, d].some((octet) => octet > 255) || bits > 32) return undefined;
  return { first: ((a * 256 + b) * 256 + c) * 256 + d, bits };
}

/** The block that holds the range's first address, in its usual form. */
function format({ first, bits }: Range): string {
  const start = firstOfBlock(first, bits);
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(start / 2 ** shift) % 256);
  return `${octets.join(".")}/${bits}`;
}
