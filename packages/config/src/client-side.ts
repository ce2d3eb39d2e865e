/** The sections that face mail clients: where the edge listens, what it grants them, and the admin commands. */
import { z } from 'zod'
import { address, bytes, count, field, filePath, milliseconds, network, port, tlsVersion } from './fields.ts'

export const listener = z.strictObject({
  address: field(address.default('::'), 'Address to bind to; :: is every address.', {
    reload: 'restart',
  }),
  port: field(port.default(143), 'Port that mail clients connect to.', { reload: 'restart' }),
  tls: field(
    z.enum(['none', 'starttls', 'implicit']).default('none'),
    'TLS to clients: none, offered by STARTTLS, or from the first byte (port 993).',
    { reload: 'restart' },
  ),
  requireTls: field(z.boolean().default(false), 'With starttls: refuse logins before TLS (LOGINDISABLED).'),
  certFile: field(filePath.optional(), 'PEM certificate chain shown to clients; read again on reload.'),
  keyFile: field(filePath.optional(), 'PEM private key of certFile; read again on reload.'),
  minTlsVersion: field(tlsVersion.default('TLSv1.2'), 'Lowest TLS version accepted from clients.'),
  ciphers: field(z.string().max(4096).optional(), 'OpenSSL cipher list for clients.'),
  proxyProtocolFrom: field(
    z.array(network).max(256).default([]),
    'Addresses whose connections must begin with a PROXY v1 or v2 header; empty: none is accepted.',
  ),
  keepAlive: field(z.boolean().default(false), 'TCP keepalive on client sockets (send_tcp_keepalives).', {
    reload: 'restart',
  }),
  backlog: field(
    count(1, 65_535).default(1024),
    'Connections the kernel may hold before they are accepted.',
    {
      reload: 'restart',
    },
  ),
})

export const clients = z.strictObject({
  connectionsMax: field(count(1).default(10_000), 'Client connections at once; more are refused with BYE.'),
  connectionsPerAddressMax: field(
    count(0).default(0),
    'Connections at once from one client address; 0: no limit.',
  ),
  loginTimeoutMs: field(milliseconds(1000).default(60_000), 'Time a client may take to log in.'),
  idleTimeoutMs: field(
    milliseconds(1000).default(1_860_000),
    'Silence after login that ends a session (RFC 9051 5.4: 30 minutes at least).',
  ),
  lineBytesMax: field(bytes(512, 1_048_576).default(65_536), 'Longest command line.'),
  preloginBytesMax: field(
    bytes(1024, 16_777_216).default(65_536),
    'Bytes a client may send before it has logged in, literals included.',
  ),
  preloginCommandsMax: field(count(1, 10_000).default(50), 'Commands before login; more end the connection.'),
  loginFailuresMax: field(count(1, 100).default(3), 'Refused logins on one connection before it is ended.'),
})

export const admin = z.strictObject({
  commands: field(
    z.boolean().default(false),
    'Answer the XPROXY_ commands on the IMAP port (enable_admin_commands).',
  ),
  allowFrom: field(z.array(network).max(256).default([]), 'Addresses that may use them; empty: all.'),
})
