/** `listeners`: the addresses and ports that mail clients connect to, each under a name. */
import { z } from 'zod'
import { allOrNone, contradiction, type Contradiction, type UncheckedSection } from '../section-rule.ts'
import {
  field,
  filePath,
  ipAddress,
  ipNetwork,
  portNumber,
  restartField,
  entryName,
  tlsVersion,
  wholeNumber,
} from '../fields.ts'

const listener = z.strictObject({
  address: restartField(
    ipAddress.default('::'),
    'Address to listen on. :: is every IPv4 and IPv6 address, 0.0.0.0 every IPv4 address.',
  ),
  port: restartField(portNumber.default(143), 'TCP port to listen on.'),
  tls: restartField(
    z.enum(['none', 'starttls', 'implicit']).default('none'),
    'TLS to clients. none: no TLS. starttls: offered by STARTTLS. implicit: from the first byte, usually on port 993.',
  ),
  requireTls: field(
    z.boolean().default(false),
    'With tls: starttls, refuse logins until the client has started TLS (LOGINDISABLED).',
  ),
  certFile: field(
    filePath.optional(),
    'PEM file with the certificate chain shown to clients. Required with TLS. Read again on reload.',
  ),
  keyFile: field(
    filePath.optional(),
    'PEM file with the private key of certFile. Required with TLS. Read again on reload.',
  ),
  minTlsVersion: field(
    tlsVersion.default('TLSv1.2'),
    'Lowest TLS version accepted from clients. Versions below TLSv1.2 also need ciphers that allow them, such as DEFAULT:@SECLEVEL=0.',
  ),
  ciphers: field(
    z.string().max(4096).optional(),
    'OpenSSL cipher list for TLS with clients. Absent: the default of Node.',
  ),
  proxyProtocolFrom: field(
    z.array(ipNetwork).max(256).default([]),
    'Load balancers whose connections must begin with a PROXY protocol header (v1 or v2) that names the client. Connections from other addresses must not have one. Empty: no headers are read.',
  ),
  originatingIpFrom: field(
    z.array(ipNetwork).max(256).default([]),
    'Webmail hosts whose ID command may name the address of their user (x-originating-ip) to an upstream with clientAddress: id. For other clients the edge removes such fields and sends the address of the client itself.',
  ),
  keepAlive: restartField(
    z.boolean().default(false),
    'Turn on TCP keepalive for client connections. In imapproxy.conf: send_tcp_keepalives.',
  ),
  backlog: restartField(
    wholeNumber(1, 65_535).default(1024),
    'Connections that the kernel may queue before the edge accepts them. Linux limits it to net.core.somaxconn.',
  ),
})

export type ListenerConfig = z.infer<typeof listener>

export const listenersSection = z.record(entryName, listener).default(() => ({ imap: listener.parse({}) }))

/** Keys of one listener that contradict one another. */
export function contradictionsInListener(entry: UncheckedSection): Contradiction[] {
  const { tls, requireTls } = entry
  if (tls === 'starttls' || tls === 'implicit')
    return ['certFile', 'keyFile']
      .filter((key) => !entry[key])
      .map((key) => contradiction(key, `is required with tls: ${tls}`))
  if (requireTls === true && tls === 'none')
    return [
      contradiction('requireTls', 'needs tls: starttls or tls: implicit; otherwise no client could log in'),
    ]
  return allOrNone(entry, ['certFile', 'keyFile'])
}
