/** `upstreams`: the IMAP servers, each under a name, and how many connections the edge may open to each. */
import { z } from 'zod'
import { allOrNone, contradiction, type Contradiction, type UncheckedSection } from '../section-rule.ts'
import {
  durationMs,
  field,
  filePath,
  hostName,
  portNumber,
  secretField,
  secretText,
  entryName,
  tlsVersion,
  tlsVersions,
  wholeNumber,
} from '../fields.ts'

const upstream = z.strictObject({
  hosts: field(
    z.array(hostName).min(1).max(64).default(['localhost']),
    'Host names or addresses of the IMAP server. Each connection tries them in this order until one answers; addresses that do not answer are tried last until a health check succeeds.',
  ),
  port: field(portNumber.default(143), 'TCP port of the IMAP server.'),
  tls: field(
    z.enum(['none', 'opportunistic', 'starttls', 'implicit']).default('none'),
    'TLS to the server. none: no TLS. opportunistic: STARTTLS if the server offers it. starttls: STARTTLS always. implicit: TLS from the first byte, usually on port 993.',
  ),
  serverName: field(
    hostName.optional(),
    'Name that is sent by SNI and must be in the certificate of the server. Absent: the name in hosts.',
  ),
  verify: field(
    z.boolean().default(true),
    'Check the certificate of the server and the name in it. With false, anyone on the network path can read passwords.',
  ),
  caFile: field(
    filePath.optional(),
    'PEM file with the certificate authorities to trust. Read again on reload. If caFile and caPath are absent, the authorities of the operating system and of Node are trusted.',
  ),
  caPath: field(
    filePath.optional(),
    'Directory with PEM files of certificate authorities to trust. Read again on reload.',
  ),
  certFile: field(
    filePath.optional(),
    'PEM file with the client certificate that the edge shows to the server. Needs keyFile. Read again on reload.',
  ),
  keyFile: field(filePath.optional(), 'PEM file with the private key of certFile. Read again on reload.'),
  minTlsVersion: field(
    tlsVersion.default('TLSv1.2'),
    'Lowest TLS version accepted from the server. Versions below TLSv1.2 also need ciphers that allow them, such as DEFAULT:@SECLEVEL=0.',
  ),
  maxTlsVersion: field(tlsVersion.default('TLSv1.3'), 'Highest TLS version offered to the server.'),
  ciphers: field(
    z.string().max(4096).optional(),
    'OpenSSL cipher list for TLS with the server. Absent: the default of Node.',
  ),
  addressFamily: field(
    z.enum(['any', 'ipv4', 'ipv6', 'ipv4-first', 'ipv6-first']).default('any'),
    'Which addresses of a host name are used. any: all, in the order of the resolver. ipv4 or ipv6: only these. ipv4-first or ipv6-first: all, these first.',
  ),
  roundRobin: field(
    z.boolean().default(false),
    'Begin each connection with the next address, so that connections are distributed over all of them. false: always begin with the first. In imapproxy.conf: dns_rr.',
  ),
  resolveEveryMs: field(
    durationMs(1000).default(30_000),
    'Maximum age of the addresses of a host name, in milliseconds. Names are looked up again in the background before that. While the name server does not answer, the last addresses are used.',
  ),
  connectTimeoutMs: field(
    durationMs(100).default(10_000),
    'Time limit of one attempt to connect, in milliseconds: name lookup, connection, TLS, greeting and capabilities. All addresses of the server share it.',
  ),
  connectAttempts: field(
    wholeNumber(1, 1000).default(3),
    'How often a login tries to connect before it is refused. One attempt tries all addresses. All attempts, with the pauses between them, end when clients.loginTimeoutMs expires.',
  ),
  connectDelayMs: field(
    durationMs(0, 600_000).default(200),
    'Longest pause after the first failed attempt, in milliseconds; at random, it is up to half of that shorter. It doubles after each further one, up to 30 seconds. 0: no pause.',
  ),
  connectsMax: field(
    wholeNumber(1, 100_000).default(100),
    'Attempts to connect and log in to one address at the same time. Further ones wait for their turn, so that a server that has restarted is not met by all users at once. Meanwhile, a login gets a connection of its user that becomes idle. A login that the server is checking for more than a second does not count.',
  ),
  loginTimeoutMs: field(
    durationMs(100).default(30_000),
    'Time in which the server must answer a login, in milliseconds.',
  ),
  connectionsMax: field(
    wholeNumber(1).default(3072),
    'Logged-in connections to this upstream at the same time, in use and idle. In imapproxy.conf: cache_size.',
  ),
  connectionsPerUserMax: field(
    wholeNumber(0, 10_000).default(0),
    'Logged-in connections of one user at the same time, in use and idle. At the limit, a login evicts an idle one or waits for one. The sum of this and connectionsPerUserSpareMax should not exceed the limit of the server. 0: no limit, and no login waits; beyond 9 connections, each new one evicts an idle one of the user, because Dovecot allows 10 by default (mail_max_userip_connections).',
  ),
  connectionsSpareMax: field(
    wholeNumber(0, 10_000).default(64),
    'Connections beyond both limits while the server checks a password. An idle connection is then evicted only after the login succeeded, so that wrong passwords evict none. 0: no connections beyond the limits; an idle connection is evicted before the login.',
  ),
  connectionsPerUserSpareMax: field(
    wholeNumber(0, 10_000).default(1),
    'How many of the connections beyond the limits may be of one user. 0: none; an idle connection of the user is evicted before the login.',
  ),
  queueMax: field(
    wholeNumber(0).default(256),
    'Logins that may wait for a free connection when a limit is reached. 0: logins do not wait and are refused immediately.',
  ),
  queueTimeoutMs: field(
    durationMs(0).default(10_000),
    'How long a login may wait for a free connection, in milliseconds. Then it is refused. 0: immediately.',
  ),
  clientAddress: field(
    z.enum(['none', 'id', 'proxy-v1', 'proxy-v2']).default('none'),
    'How the server learns the address of the client. none: not at all. id: by ID x-originating-ip after the login. proxy-v1 or proxy-v2: by a PROXY protocol header, with the address of the client that opened the connection.',
  ),
  keepAlive: field(
    z.boolean().default(false),
    'Turn on TCP keepalive for connections to the server. In imapproxy.conf: send_tcp_keepalives.',
  ),
  preauthCommand: field(
    z
      .string()
      .max(1024)
      .regex(/^[^\r\n\0]*$/, 'must be one line')
      .optional(),
    'Command without a tag that the edge sends to the server before each login. The server must answer OK. In imapproxy.conf: preauth_command.',
  ),
  healthChecks: field(
    z.enum(['when-down', 'when-quiet']).default('when-down'),
    'When the edge connects to the server without a login to check whether it answers. when-down: once at the start, and while the server or one of its addresses does not answer. when-quiet: also when no login has reached the server for healthIntervalMs. Servers log each such connection as one without a login.',
  ),
  healthIntervalMs: field(
    durationMs(0).default(10_000),
    'Pause between two health checks, in milliseconds. It doubles while the server does not answer, up to one minute; at random, it is up to a quarter longer. 0: no health checks; only logins show whether the server answers.',
  ),
  breakerFailures: field(
    wholeNumber(0, 1000).default(5),
    'Failed connection attempts in a row after which the circuit breaker opens: logins that need a new connection are refused immediately. 0: it never opens.',
  ),
  breakerCooldownMs: field(
    durationMs(100).default(5_000),
    'How long an open circuit breaker refuses logins, in milliseconds. Then one login at a time may try to connect. At first it is a tenth of that, and it grows by half while attempts fail; at random, it is up to a quarter longer. Logins wait for the end of a pause of at most 2 s instead of being refused, up to 5 s in all, because a server that restarts is back soon.',
  ),
  ahead: field(
    z.enum(['auto', 'off', 'learn', 'on']).default('auto'),
    'Whether the edge sends the questions that a client is expected to ask next before it asks them, and answers them from what it holds. off: never. learn: the edge learns what clients ask, and sends nothing. on: it does both. auto: off if one of the hosts belongs to Gmail or Microsoft 365, which meter commands; on otherwise. For servers that are far away; see docs/answer-ahead.md.',
  ),
  aheadRoundTripMinMs: field(
    durationMs(0, 60_000).default(3),
    'Nothing is asked ahead of a server that answers sooner than this, in milliseconds. The edge measures the time from a command to the first byte of its answer. 0: the distance does not matter.',
  ),
  connectAhead: field(
    z.boolean().default(true),
    'Whether the edge keeps one connection ready for the next login, while users log in: connected, with TLS if configured, and greeted. The login then saves two or three round trips. Only for servers with a round trip of at least 10 ms, and not with a PROXY header, or ahead: off or learn.',
  ),
  masterUser: field(
    z.string().min(1).max(255).optional(),
    'User who logs in on behalf of every user, by AUTHENTICATE PLAIN. Needs masterPassword and sharedSecret. In imapproxy.conf: auth_sasl_plain_username.',
  ),
  masterPassword: secretField(secretText.optional(), 'Password of masterUser.'),
  sharedSecret: secretField(
    secretText.optional(),
    'What clients must send as the password when masterUser is set. In imapproxy.conf: auth_shared_secret.',
  ),
})

export type UpstreamConfig = z.infer<typeof upstream>

export const upstreamsSection = z.record(entryName, upstream).default(() => ({ main: upstream.parse({}) }))

/** Keys of one upstream that contradict one another. */
export function contradictionsInUpstream(entry: UncheckedSection): Contradiction[] {
  const ageOf = (version: unknown) => tlsVersions.findIndex((known) => known === version)
  const [min, max] = [ageOf(entry['minTlsVersion']), ageOf(entry['maxTlsVersion'])]
  return [
    ...allOrNone(entry, ['masterUser', 'masterPassword', 'sharedSecret']),
    ...allOrNone(entry, ['certFile', 'keyFile']),
    ...(min >= 0 && max >= 0 && min > max
      ? [
          contradiction(
            'minTlsVersion',
            `must not be higher than maxTlsVersion, which is ${tlsVersions[max]}`,
          ),
        ]
      : []),
  ]
}
