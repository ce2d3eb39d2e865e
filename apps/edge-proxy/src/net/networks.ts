/** Lists of networks in the configuration: which addresses may send PROXY headers or use the admin commands. */
import { BlockList, isIPv6 } from 'node:net'

/** Whether an address is in one of the networks. An IPv4-mapped IPv6 address counts as IPv4. */
export function networksContain(networks: readonly string[], address: string): boolean {
  if (networks.length === 0) return false
  const plain = plainAddress(address)
  return listOf(networks).check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}

/** Turns `::ffff:10.0.0.1`, the form on a dual-stack socket, into 10.0.0.1. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

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
