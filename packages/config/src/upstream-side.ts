/** The sections that face IMAP servers: the upstreams, the routes to them, and the pool of warm ones. */
import { z } from 'zod'
import {
  bytes,
  count,
  field,
  filePath,
  hostName,
  milliseconds,
  name,
  port,
  secretText,
  tlsVersion,
} from './fields.ts'

export const upstream = z.strictObject({
  hosts: field(
    z.array(hostName).min(1).max(64).default(['localhost']),
    'Names or addresses of the IMAP server, tried in turn.',
  ),
  port: field(port.default(143), 'Port of the IMAP server.'),
  tls: field(
    z.enum(['none', 'opportunistic', 'starttls', 'implicit']).default('none'),
    'TLS to the server: none, STARTTLS if offered, STARTTLS always, or from the first byte.',
  ),
  serverName: field(hostName.optional(), 'Name for SNI and verification, if not the host itself.'),
  verify: field(z.boolean().default(true), 'Verify the certificate and its name.'),
  caFile: field(
    filePath.optional(),
    "PEM file of trusted certificate authorities, read again on reload; without it and caPath: this host's and Node's.",
  ),
  caPath: field(
    filePath.optional(),
    'Directory of PEM files of trusted certificate authorities; read again on reload.',
  ),
  certFile: field(filePath.optional(), 'Client certificate shown to the server; read again on reload.'),
  keyFile: field(filePath.optional(), 'Private key of the client certificate.'),
  minTlsVersion: field(tlsVersion.default('TLSv1.2'), 'Lowest TLS version accepted from the server.'),
  maxTlsVersion: field(tlsVersion.default('TLSv1.3'), 'Highest TLS version offered to the server.'),
  ciphers: field(z.string().max(4096).optional(), 'OpenSSL cipher list for the server.'),
  addressFamily: field(
    z.enum(['any', 'ipv4', 'ipv6', 'ipv4-first', 'ipv6-first']).default('any'),
    'Which addresses of the server are used: all as the resolver sorts them, one family only, or one before the other.',
  ),
  roundRobin: field(z.boolean().default(false), 'Spread connections over all addresses of a name (dns_rr).'),
  resolveEveryMs: field(
    milliseconds(1000).default(30_000),
    'How long a resolved name is used before it is asked again.',
  ),
  connectTimeoutMs: field(
    milliseconds(100).default(10_000),
    'Time for name, TCP, TLS and greeting together.',
  ),
  connectAttempts: field(count(1, 1000).default(3), 'Attempts to connect before a login is refused.'),
  connectDelayMs: field(
    milliseconds(0, 600_000).default(200),
    'Pause after the first failed attempt; it doubles with each further one.',
  ),
  loginTimeoutMs: field(milliseconds(100).default(30_000), 'Time the server may take to answer a login.'),
  connectionsMax: field(
    count(1).default(3072),
    'Connections to this upstream at once, leased and idle (cache_size).',
  ),
  connectionsPerUserMax: field(count(0, 10_000).default(0), 'Connections of one user at once; 0: no limit.'),
  connectionsSpareMax: field(
    count(0, 10_000).default(64),
    'Connections beyond both limits while the server judges a login, so that a wrong password closes no idle one; 0: one gives way first.',
  ),
  queueMax: field(count(0).default(256), 'Logins that may wait for a free connection.'),
  queueTimeoutMs: field(milliseconds(0).default(10_000), 'How long a login waits for a free connection.'),
  clientAddress: field(
    z.enum(['none', 'id', 'proxy-v1', 'proxy-v2']).default('none'),
    'How the server learns the address of the client: not, by ID x-originating-ip, or by PROXY protocol.',
  ),
  keepAlive: field(z.boolean().default(false), 'TCP keepalive on server sockets (send_tcp_keepalives).'),
  preauthCommand: field(
    z
      .string()
      .max(1024)
      .regex(/^[^\r\n\0]*$/, 'must be one line')
      .optional(),
    'Command sent to the server before each login (preauth_command).',
  ),
  healthIntervalMs: field(
    milliseconds(0).default(10_000),
    'How often the server is asked for its greeting; 0: never.',
  ),
  breakerFailures: field(
    count(0, 1000).default(5),
    'Failed connects in a row that open the circuit breaker; 0: never.',
  ),
  breakerCooldownMs: field(
    milliseconds(100).default(5_000),
    'Time an open breaker refuses at once before it tries again.',
  ),
  masterUser: field(
    z.string().min(1).max(255).optional(),
    'User whose AUTHENTICATE PLAIN logs everybody in (auth_sasl_plain_username).',
  ),
  masterPassword: field(secretText.optional(), 'Password of masterUser.', { secret: true }),
  sharedSecret: field(
    secretText.optional(),
    'What clients must send as password with masterUser (auth_shared_secret).',
    { secret: true },
  ),
})

export const route = z.strictObject({
  upstream: field(name, 'Upstream that the matching users go to.'),
  domain: field(z.string().min(1).max(255).optional(), 'Users whose name ends in @domain.'),
  user: field(
    z.string().min(1).max(255).optional(),
    'Users whose name matches; * stands for any characters.',
  ),
  listener: field(name.optional(), 'Clients of this listener.'),
})

export const pool = z.strictObject({
  idleTimeoutMs: field(
    milliseconds(1000).default(300_000),
    'How long an idle upstream is kept (cache_expiration_time).',
  ),
  lifetimeMaxMs: field(
    milliseconds(1000).default(3_600_000),
    'Age at which an upstream is not handed out again; bounds how long an old password lives on.',
  ),
  usesMax: field(count(1).default(1000), 'Sessions one upstream may serve.'),
  proveIdleAfterMs: field(
    milliseconds(0).default(60_000),
    'An upstream idle for longer is proven alive again before it is handed out.',
  ),
  resetTimeoutMs: field(
    milliseconds(100, 600_000).default(5_000),
    'Time a used upstream may take to prove itself clean.',
  ),
  resetBytesMax: field(
    bytes(1024, 67_108_864).default(1_048_576),
    'Bytes a used upstream may send while it proves itself clean.',
  ),
  selectCache: field(
    z.enum(['off', 'exact', 'window']).default('off'),
    'SELECT of the mailbox selected last: not cached, answered after a NOOP shows no change, or answered blindly within selectCacheWindowMs.',
  ),
  selectCacheWindowMs: field(
    milliseconds(0, 600_000).default(10_000),
    'How long selectCache: window answers blindly.',
  ),
  answerCapability: field(z.boolean().default(true), 'Answer CAPABILITY from what the server said before.'),
  answerId: field(
    z.boolean().default(true),
    'Answer ID after login at once and forward it behind the scenes.',
  ),
})
