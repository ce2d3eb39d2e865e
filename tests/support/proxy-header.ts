/** PROXY protocol headers as a load balancer writes them, without code of the edge. */
import { isIPv6 } from 'node:net'

const signature = '\r\n\r\n\0\r\nQUIT\n'

/** Version 2 for a TCP connection (proxy-protocol.txt 2.2). Without addresses: LOCAL, a connection of the balancer itself. */
export function version2(source?: string, destination = '10.0.0.1'): Buffer {
  if (source === undefined) return Buffer.from(`${signature}\x20\0\0\0`, 'latin1')
  const address = (text: string) =>
    isIPv6(text)
      ? Buffer.from(
          text
            .split(':')
            .map((group) => group.padStart(4, '0'))
            .join(''),
          'hex',
        )
      : Buffer.from(text.split('.').map(Number))
  const ports = Buffer.from([0xc3, 0x50, 0x00, 0x8f])
  const body = Buffer.concat([address(source), address(destination), ports])
  return Buffer.concat([
    Buffer.from(`${signature}\x21${isIPv6(source) ? '\x21' : '\x11'}\0`, 'latin1'),
    Buffer.of(body.length),
    body,
  ])
}

/** Parses a header of version 2; undefined if it is none. */
export function readVersion2(
  bytes: Buffer,
): { length: number; command: number; source: string; destination: string } | undefined {
  if (bytes.toString('latin1', 0, 12) !== signature || bytes[13] !== 0x11) return undefined
  const address = (at: number) => [...bytes.subarray(at, at + 4)].join('.')
  return {
    length: 16 + bytes.readUInt16BE(14),
    command: bytes[12] ?? 0,
    source: address(16),
    destination: address(20),
  }
}
