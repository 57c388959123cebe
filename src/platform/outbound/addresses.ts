/**
 * Which addresses a URL that somebody else has named may lead to: those of the public internet. Whatever is inside (loopback,
 * private networks, link-local ones with the metadata of clouds) is not for strangers to reach through us.
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The host of a URL leads inside; nothing was sent. */
export class InternalAddressError extends Error {
  override name = 'InternalAddressError';
  readonly code = 'ERR_INTERNAL_ADDRESS';

  constructor() {
    super('the address is not one of the public internet');
  }
}

/** A network in CIDR notation. */
export type Network = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** @throws when the text is no network */
export function parseNetwork(text: string): Network {
  return ipaddr.parseCIDR(text);
}

/** Unicast addresses of the internet so far (RFC 4291, IANA's registry of IPv6 address space). */
const GLOBAL_IPV6 = parseNetwork('2000::/3');
/** Public by their range alone: inside of Azure, where machines ask for their configuration. */
const INSIDE_ALL_THE_SAME = ['168.63.129.16'];
/** RFC 6052: the last four bytes are an address of IPv4. What a network uses beside it is its own affair (RFC 8215). */
const NAT64 = parseNetwork('64:ff9b::/96');

export class AddressGuard {
  /** @param allowed networks that may be reached although they are inside */
  constructor(private readonly allowed: readonly Network[]) {}

  /** Whether a connection may be made to this address, which is no name. */
  allows(address: string): boolean {
    const parsed = innermost(ipaddr.process(address));
    return this.isAllowed(parsed) || isPublic(parsed);
  }

  /** Whether an operator has named the network of this address. */
  names(address: string): boolean {
    return this.isAllowed(innermost(ipaddr.process(address)));
  }

  /**
   * Resolves a name for a connection, which is then made to the very addresses that were judged. One that also leads inside
   * leads nowhere.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error ?? first === undefined) callback(error ?? new InternalAddressError(), []);
      else if (!addresses.every(({ address }) => this.allows(address))) callback(new InternalAddressError(), []);
      else if (options.all === true) callback(null, addresses);
      else answerWithOne(callback, first);
    });
  };

  private isAllowed(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
    return this.allowed.some((network) => address.kind() === network[0].kind() && address.match(network));
  }
}

function answerWithOne(callback: Parameters<LookupFunction>[2], { address, family }: LookupAddress): void {
  callback(null, address, family);
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || INSIDE_ALL_THE_SAME.includes(address.toString())) return false;
  return address.kind() === 'ipv4' || address.match(GLOBAL_IPV6);
}

/** What a translator on the way would send it to. */
function innermost(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === 'ipv4' || !address.match(NAT64)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}
