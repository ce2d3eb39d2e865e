/**
 * The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): a header with the address of the client behind a
 * load balancer. The edge parses it from trusted addresses, and prints it for servers that are configured to expect it.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { addressBytes } from './networks.ts'

export type ProxyHeader =
  /** `length`: bytes of the header. `address` undefined: the load balancer's own connection (LOCAL, UNKNOWN). */
  { kind: 'header'; length: number; address: string | undefined } | { kind: 'more' } | { kind: 'bad' }

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const version1BytesMax = 107

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const common = Math.min(bytes.length, signature.length)
  if (common > 0 && bytes.compare(signature, 0, common, 0, common) === 0)
    return bytes.length < 16 ? { kind: 'more' } : parseVersion2(bytes)
  return parseVersion1(bytes)
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const head = bytes.toString('latin1', 0, version1BytesMax)
  if (!'PROXY '.startsWith(head.slice(0, 6))) return { kind: 'bad' }
  const end = head.indexOf('\r\n')
  if (end < 0) return bytes.length >= version1BytesMax ? { kind: 'bad' } : { kind: 'more' }
  const [, family, address = '', destination = '', ...ports] = head.slice(0, end).split(' ')
  if (family === 'UNKNOWN') return { kind: 'header', length: end + 2, address: undefined }
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false
  const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535
  if (!isAddress(address) || !isAddress(destination) || ports.length !== 2 || !ports.every(isPort))
    return { kind: 'bad' }
  return { kind: 'header', length: end + 2, address }
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes[12]!
  const family = bytes[13]! >> 4
  const length = 16 + bytes.readUInt16BE(14)
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1) return { kind: 'bad' }
  if (bytes.length < length) return { kind: 'more' }
  if ((versionAndCommand & 15) === 0 || family === 0) return { kind: 'header', length, address: undefined }
  if (family === 1 && length >= 28)
    return { kind: 'header', length, address: [...bytes.subarray(16, 20)].join('.') }
  if (family === 2 && length >= 52) {
    const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(16 + index * 2).toString(16))
    return { kind: 'header', length, address: groups.join(':') }
  }
  return { kind: 'bad' }
}

/** Addresses and ports of the client, and of the server that receives the header. */
export interface ProxiedAddresses {
  source: string
  sourcePort: number
  destination: string
  destinationPort: number
}

/** The header for a connection that is opened for a client. */
export function printProxyHeader(
  version: 1 | 2,
  { source, sourcePort, destination, destinationPort }: ProxiedAddresses,
): Buffer {
  const isV6 = source.includes(':') || destination.includes(':')
  const [from, to] = [mapped(source, isV6), mapped(destination, isV6)]
  if (version === 1)
    return Buffer.from(`PROXY TCP${isV6 ? 6 : 4} ${from} ${to} ${sourcePort} ${destinationPort}\r\n`)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(sourcePort, 0)
  ports.writeUInt16BE(destinationPort, 2)
  const body = Buffer.concat([addressBytes(from), addressBytes(to), ports])
  const head = Buffer.from([0x21, isV6 ? 0x21 : 0x11, 0, body.length])
  return Buffer.concat([signature, head, body])
}

/** A header has one address family, so an IPv4 address is mapped if the other address is IPv6 (RFC 4291 2.5.5.2). */
const mapped = (address: string, toV6: boolean) =>
  toV6 && !address.includes(':') ? `::ffff:${address}` : address
