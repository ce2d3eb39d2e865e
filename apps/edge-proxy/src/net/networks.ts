/**
 * IP addresses: lists of networks in the configuration, such as those that may send PROXY headers, and the forms in which an
 * address is shown and counted.
 */
import { BlockList, isIPv6 } from 'node:net'

/** Whether an address is in one of the networks. An IPv4-mapped IPv6 address counts as IPv4. */
export function networksContain(networks: readonly string[], address: string): boolean {
  if (networks.length === 0) return false
  const plain = plainAddress(address)
  return listOf(networks).check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}

/** Converts an IPv4-mapped IPv6 address in any notation, such as `::ffff:10.0.0.1` of a dual-stack socket, to IPv4. */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address
  const bytes = addressBytes(address)
  const isMapped = bytes.readUInt32BE(8) === 0xffff && bytes.readBigUInt64BE(0) === 0n
  return isMapped ? bytes.subarray(12).join('.') : address
}

/**
 * The group of addresses that count as one client: an IPv4 address, or the first 64 bits of an IPv6 address, because a host
 * chooses the other 64 bits (RFC 8981).
 */
export function addressGroup(address: string): string {
  const plain = plainAddress(address)
  return plain.includes(':') ? `${addressBytes(plain).toString('hex', 0, 8)}/64` : plain
}

/** 4 or 16 bytes of a valid address. */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const plain = dotted
    ? `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
    : withoutZone(address)
  const [left = '', right] = plain.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const before = groups(left)
  const after = right === undefined ? [] : groups(right)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(parseInt(group, 16), index * 2)
  return bytes
}

/** Removes the interface of a link-local address, such as `%eth0`. */
const withoutZone = (address: string): string => address.split('%', 1)[0]!

const lists = new WeakMap<readonly string[], BlockList>()

function listOf(networks: readonly string[]): BlockList {
  let list = lists.get(networks)
  if (list) return list
  list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  lists.set(networks, list)
  return list
}
