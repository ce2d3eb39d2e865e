/**
 * The configuration of an edge: one zod object is the truth for types, defaults, bounds, help text and reload
 * behaviour. Sections that the fleet may steer stand in `steerableSections`; the rest belongs to the host.
 */
import { z } from 'zod'
import { bytes, count, field, filePath, milliseconds, name, network, port, tlsVersion } from './fields.ts'

const identity = z.strictObject({
  id: field(name.default('edge'), 'Name of this edge, unique in the fleet.', { reload: 'restart' }),
  region: field(
    name.default('default'),
    'Region this edge serves; revisions and orders can be aimed at it.',
    {
      reload: 'restart',
    },
  ),
})

const listener = z.strictObject({
  address: field(z.union([z.ipv4(), z.ipv6()]).default('::'), 'Address to bind to; :: is every address.', {
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
  keepAlive: field(z.boolean().default(false), 'TCP keepalive on client sockets (send_tcp_keepalives).'),
  backlog: field(
    count(1, 65_535).default(1024),
    'Connections the kernel may hold before they are accepted.',
    {
      reload: 'restart',
    },
  ),
})

const clients = z.strictObject({
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

const upstream = z.strictObject({
  hosts: field(
    z.array(z.string().min(1).max(255)).min(1).max(64).default(['localhost']),
    'Names or addresses of the IMAP server, tried in turn.',
  ),
  port: field(port.default(143), 'Port of the IMAP server.'),
  tls: field(
    z.enum(['none', 'opportunistic', 'starttls', 'implicit']).default('none'),
    'TLS to the server: none, STARTTLS if offered, STARTTLS always, or from the first byte.',
  ),
  serverName: field(
    z.string().min(1).max(255).optional(),
    'Name for SNI and verification, if not the host itself.',
  ),
  verify: field(z.boolean().default(true), 'Verify the certificate and its name.'),
  caFile: field(filePath.optional(), 'PEM file of trusted certificate authorities.'),
  caPath: field(filePath.optional(), 'Directory of PEM files of trusted certificate authorities.'),
  certFile: field(filePath.optional(), 'Client certificate shown to the server.'),
  keyFile: field(filePath.optional(), 'Private key of the client certificate.'),
  minTlsVersion: field(tlsVersion.default('TLSv1.2'), 'Lowest TLS version accepted from the server.'),
  maxTlsVersion: field(tlsVersion.default('TLSv1.3'), 'Highest TLS version offered to the server.'),
  ciphers: field(z.string().max(4096).optional(), 'OpenSSL cipher list for the server.'),
  addressFamily: field(
    z.enum(['any', 'ipv4', 'ipv6']).default('any'),
    'Which addresses of the server are used.',
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
  connectDelayMs: field(milliseconds(0, 600_000).default(200), 'Pause between two attempts.'),
  loginTimeoutMs: field(milliseconds(100).default(30_000), 'Time the server may take to answer a login.'),
  connectionsMax: field(
    count(1).default(3072),
    'Connections to this upstream at once, leased and idle (cache_size).',
  ),
  connectionsPerUserMax: field(count(0, 10_000).default(0), 'Connections of one user at once; 0: no limit.'),
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
  masterPassword: field(z.string().min(1).max(1024).optional(), 'Password of masterUser.', { secret: true }),
  sharedSecret: field(
    z.string().min(1).max(1024).optional(),
    'What clients must send as password with masterUser (auth_shared_secret).',
    { secret: true },
  ),
})

const route = z.strictObject({
  upstream: field(name, 'Upstream that the matching users go to.'),
  domain: field(z.string().min(1).max(255).optional(), 'Users whose name ends in @domain.'),
  user: field(
    z.string().min(1).max(255).optional(),
    'Users whose name matches; * stands for any characters.',
  ),
  listener: field(name.optional(), 'Clients of this listener.'),
})

const pool = z.strictObject({
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

const admin = z.strictObject({
  commands: field(
    z.boolean().default(false),
    'Answer the XPROXY_ commands on the IMAP port (enable_admin_commands).',
  ),
  allowFrom: field(z.array(network).max(256).default([]), 'Addresses that may use them; empty: all.'),
})

const trace = z.strictObject({
  file: field(filePath.optional(), 'File that traces are written to (protocol_log_filename).', {
    reload: 'restart',
  }),
  usersMax: field(count(1, 10_000).default(100), 'Users traced at once.'),
  bytesMax: field(bytes(1024).default(16_777_216), 'Bytes one trace may write before it ends.'),
})

const log = z.strictObject({
  level: field(
    z.enum(['error', 'warn', 'info', 'debug']).default('info'),
    'Least important line that is written.',
  ),
  format: field(z.enum(['text', 'json']).default('text'), 'One line of text or of JSON an event.', {
    reload: 'restart',
  }),
})

const http = z.strictObject({
  address: field(
    z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
    'Address of the local health and metrics port.',
    { reload: 'restart' },
  ),
  port: field(
    z.int().min(0).max(65_535).default(9143),
    'Port of health, statistics and Prometheus metrics; 0: none.',
    { reload: 'restart' },
  ),
})

const fleet = z.strictObject({
  servers: field(
    z.array(z.string().min(1).max(1024)).max(32).default([]),
    'NATS servers; empty: the edge runs alone.',
    { reload: 'restart' },
  ),
  credentialsFile: field(filePath.optional(), "File with this edge's NATS credentials.", {
    reload: 'restart',
  }),
  tokenFile: field(
    filePath.optional(),
    'File with a NATS token, for a server without per-edge credentials.',
    { reload: 'restart' },
  ),
  tlsCaFile: field(filePath.optional(), 'PEM file of the authority that signed the NATS servers.', {
    reload: 'restart',
  }),
  heartbeatMs: field(milliseconds(200, 600_000).default(5_000), 'How often presence is sent.', {
    reload: 'restart',
  }),
  reportIntervalMs: field(
    milliseconds(200, 3_600_000).default(10_000),
    'How often statistics are reported.',
    { reload: 'restart' },
  ),
  reconcileMs: field(
    milliseconds(200, 3_600_000).default(45_000),
    'How often the desired state is read without being asked.',
    { reload: 'restart' },
  ),
  outboxMax: field(
    count(10, 1_000_000).default(8_640),
    'Reports kept while the fleet is out of reach (8,640 of 10 s: a day).',
    { reload: 'restart' },
  ),
  stateDir: field(
    filePath.default('/var/lib/imapfleet'),
    'Directory of the last good configuration and the outbox.',
    { reload: 'restart' },
  ),
})

const processSection = z.strictObject({
  user: field(z.string().min(1).max(64).optional(), 'User to become after binding (proc_username).', {
    reload: 'restart',
  }),
  group: field(z.string().min(1).max(64).optional(), 'Group to become after binding (proc_groupname).', {
    reload: 'restart',
  }),
  drainTimeoutMs: field(milliseconds(0).default(30_000), 'How long a stop waits for sessions to end.'),
})

/** Everything an edge can be told. Every key has a default; a file names only what differs. */
export const edgeConfigSchema = z
  .strictObject({
    edge: identity.prefault({}),
    listeners: z.record(name, listener).default(() => ({ imap: listener.parse({}) })),
    clients: clients.prefault({}),
    upstreams: z.record(name, upstream).default(() => ({ main: upstream.parse({}) })),
    routes: z.array(route).max(10_000).default([]),
    pool: pool.prefault({}),
    admin: admin.prefault({}),
    trace: trace.prefault({}),
    log: log.prefault({}),
    http: http.prefault({}),
    fleet: fleet.prefault({}),
    process: processSection.prefault({}),
  })
  .superRefine((config, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    if (Object.keys(config.listeners).length === 0) complain(['listeners'], 'needs at least one listener')
    if (Object.keys(config.upstreams).length === 0) complain(['upstreams'], 'needs at least one upstream')
    for (const [key, value] of Object.entries(config.listeners)) {
      if (value.tls !== 'none' && !(value.certFile && value.keyFile))
        complain(['listeners', key, 'certFile'], `tls: ${value.tls} needs certFile and keyFile`)
    }
    for (const [key, value] of Object.entries(config.upstreams)) {
      const sso = [value.masterUser, value.masterPassword, value.sharedSecret]
      if (sso.some(Boolean) && !sso.every(Boolean))
        complain(['upstreams', key, 'masterUser'], 'masterUser, masterPassword and sharedSecret go together')
      if (Boolean(value.certFile) !== Boolean(value.keyFile))
        complain(['upstreams', key, 'certFile'], 'certFile and keyFile go together')
    }
    for (const [index, value] of config.routes.entries()) {
      if (!config.upstreams[value.upstream])
        complain(['routes', index, 'upstream'], `there is no upstream named ${value.upstream}`)
      if (value.listener && !config.listeners[value.listener])
        complain(['routes', index, 'listener'], `there is no listener named ${value.listener}`)
    }
  })

export type EdgeConfig = z.infer<typeof edgeConfigSchema>
export type ListenerConfig = z.infer<typeof listener>
export type UpstreamConfig = z.infer<typeof upstream>
export type PoolConfig = z.infer<typeof pool>
export type RouteConfig = z.infer<typeof route>

/** What the fleet may set. The rest (`edge`, `fleet`, `process`, `http`) is the host's own and never pushed. */
export const steerableSections = [
  'listeners',
  'clients',
  'upstreams',
  'routes',
  'pool',
  'admin',
  'trace',
  'log',
] as const
