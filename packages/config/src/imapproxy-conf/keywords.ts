/**
 * The 35 keywords of imapproxy.conf and what each becomes. Statements about imapproxy describe the behaviour of Debian's
 * version 1.2.8, even if its manual says otherwise.
 */
import {
  converted,
  copied,
  withoutKey,
  type GivenValues,
  type Keyword,
  type KeywordRow,
  type Translate,
} from './keyword-row.ts'
import {
  anyText,
  unsignedNumber,
  listenAddress,
  oneOf,
  portOrService,
  unprivilegedAccount,
  yesNo,
} from './readers.ts'
import { facilities, priorities } from './syslog.ts'

const main = (key: string) => `upstreams.main.${key}`
/** Of systemd. The package installs it. */
const unit = 'imapfleet-edge.service'
const edit = 'systemctl edit imapfleet-edge'
const secondsMax = (24 * 86_400_000) / 1000

const masterLogin =
  (key: string): Translate<string> =>
  (value, given) =>
    given.auth_sasl_plain_username && given.auth_sasl_plain_password && given.auth_shared_secret
      ? { set: { [main(key)]: value } }
      : {
          set: {},
          note: 'ignored, as by imapproxy: auth_sasl_plain_username, auth_sasl_plain_password and auth_shared_secret have an effect only together',
        }

const isYes = (value = 'no') => /^(y|yes|true)$/i.test(value)
const allowsOldTls = (given: GivenValues) => /@SECLEVEL=0/.test(given.tls_ciphers ?? '')

/** TLS 1.0 and 1.1 stay off unless the cipher list allows them. */
function minTlsVersion(given: GivenValues): string {
  if (isYes(given['tls_no_tlsv1.2'])) return 'TLSv1.3'
  if (!allowsOldTls(given)) return 'TLSv1.2'
  if (!isYes(given.tls_no_tlsv1)) return 'TLSv1'
  return isYes(given['tls_no_tlsv1.1']) ? 'TLSv1.2' : 'TLSv1.1'
}

const withoutTlsVersion: Translate<boolean> = (isForbidden, given) => ({
  set: { [main('minTlsVersion')]: minTlsVersion(given) },
  ...(!isForbidden &&
    !allowsOldTls(given) && {
      note: 'versions below TLS 1.2 also need @SECLEVEL=0 in tls_ciphers, as imapproxy does with OpenSSL 3',
    }),
})

export const keywords = {
  server_hostname: converted(
    anyText,
    [main('hosts')],
    'The IMAP server. The YAML format accepts several hosts.',
    (host) => ({ set: { [main('hosts')]: [host] } }),
  ),
  server_port: converted(
    portOrService,
    [main('port')],
    'For TLS from the first byte (port 993) use the YAML format with `tls: implicit`.',
    (value) => ({
      set: { [main('port')]: value },
      ...(value === 993 && {
        note: 'imapproxy uses STARTTLS even on port 993; for TLS from the first byte use the YAML format with tls: implicit',
      }),
    }),
  ),
  connect_retries: withoutKey(
    unsignedNumber,
    'imapproxy retries only when it starts. The edge starts without its server. For logins see `upstreams.main.connectAttempts`.',
    () =>
      'not needed: the edge starts without its server and connects when it is back; for logins see upstreams.main.connectAttempts',
  ),
  connect_delay: withoutKey(
    unsignedNumber,
    'Like `connect_retries`. For logins see `connectDelayMs`; how often a server that is down is tried: `healthIntervalMs`.',
    () =>
      'not needed: the edge starts without its server and connects when it is back; see upstreams.main.healthIntervalMs and connectDelayMs',
  ),
  dns_rr: copied(yesNo, [main('roundRobin')], 'Connections are distributed over all addresses of the name.'),
  ipversion_only: converted(
    oneOf({ 4: 'ipv4', 6: 'ipv6' }),
    [main('addressFamily')],
    '`4` becomes `ipv4`, `6` becomes `ipv6`.',
    (family) => ({ set: { [main('addressFamily')]: family } }),
  ),
  preauth_command: copied(
    anyText,
    [main('preauthCommand')],
    'Sent to the server before each login. The server must answer OK.',
  ),
  cache_size: copied(
    unsignedNumber,
    [main('connectionsMax')],
    'Connections to the server, in use and idle. At the limit, a login that succeeds evicts the connection that was idle longest. If none is idle, the login waits (`queueMax`); imapproxy refuses it immediately.',
  ),
  cache_expiration_time: converted(
    unsignedNumber,
    ['pool.idleTimeoutMs'],
    'Converted from seconds to milliseconds. imapproxy checks once a minute, so it keeps a connection up to 60 s longer.',
    (seconds) => ({
      set: { 'pool.idleTimeoutMs': Math.min(Math.max(seconds, 1), secondsMax) * 1000 },
      ...(seconds === 0 && { note: 'the minimum is one second' }),
      ...(seconds > secondsMax && { note: 'the maximum is 24 days' }),
    }),
    {
      absent: {
        set: {},
        note: 'imapproxy uses 0 and keeps a connection up to a minute; the edge uses 300 s, as in the sample file of imapproxy',
      },
    },
  ),
  enable_select_cache: converted(
    yesNo,
    ['pool.selectCache'],
    '`yes` becomes `exact`: a SELECT is answered from memory only after the server confirmed that nothing changed.',
    (isWanted) => ({
      set: { 'pool.selectCache': isWanted ? 'exact' : 'off' },
      ...(isWanted && {
        note: 'imapproxy answers for 10 s without asking the server; for the same use pool.selectCache: window in the YAML format',
      }),
    }),
  ),
  listen_address: copied(
    listenAddress,
    ['listeners.imap.address'],
    'If absent: 0.0.0.0, as in imapproxy. Use `::` to accept IPv6 as well.',
    {
      absent: {
        set: { 'listeners.imap.address': '0.0.0.0' },
        note: 'every IPv4 address, as in imapproxy; use :: to accept IPv6 as well',
      },
    },
  ),
  listen_port: copied(
    portOrService,
    ['listeners.imap.port'],
    'If absent, imapproxy uses any free port; the edge uses 143.',
    { absent: { set: {}, note: 'imapproxy uses any free port; the edge uses 143' } },
  ),
  send_tcp_keepalives: copied(
    yesNo,
    ['listeners.imap.keepAlive', main('keepAlive')],
    'For connections of clients and to servers.',
  ),
  enable_admin_commands: copied(
    yesNo,
    ['admin.commands'],
    'The XPROXY_ commands. `admin.allowFrom` limits which addresses may use them.',
  ),
  force_tls: converted(
    yesNo,
    [main('tls')],
    '`yes` becomes `starttls`. `no` becomes `opportunistic`: TLS if the server offers it; imapproxy uses TLS only if the server disables LOGIN without it. If STARTTLS fails at the server, logins fail and the log has the reason; repair STARTTLS, or use the YAML format with `tls: none`.',
    (isForced) => ({ set: { [main('tls')]: isForced ? 'starttls' : 'opportunistic' } }),
    {
      absent: {
        set: { [main('tls')]: 'opportunistic' },
        note: 'STARTTLS if the server offers it; force_tls yes requires it',
      },
    },
  ),
  tls_verify_server: converted(
    yesNo,
    [main('verify')],
    'If absent: `no`, as in imapproxy. `yes` is recommended. It also checks the name in the certificate, which imapproxy does not; if that is another name, set `serverName`.',
    (isVerified) => ({
      set: { [main('verify')]: isVerified },
      note: isVerified
        ? 'the name in the certificate is checked as well, unlike in imapproxy; if it is another name, set upstreams.main.serverName'
        : 'anyone on the network path can read passwords; yes is recommended',
    }),
    {
      absent: {
        set: { [main('verify')]: false },
        note: 'not verified, as in imapproxy; tls_verify_server yes is recommended',
      },
    },
  ),
  tls_ca_file: copied(anyText, [main('caFile')], 'PEM file with certificate authorities.'),
  tls_ca_path: copied(anyText, [main('caPath')], 'Directory of PEM files. Their names need not be hashes.'),
  tls_cert_file: converted(
    anyText,
    [main('certFile'), main('keyFile')],
    'Client certificate. Without `tls_key_file` the key is read from the same file.',
    (file, given) => ({
      set: { [main('certFile')]: file, ...(!given.tls_key_file && { [main('keyFile')]: file }) },
      ...(!given.tls_key_file && {
        note: 'without tls_key_file the key is read from the same file, as in imapproxy',
      }),
    }),
  ),
  tls_key_file: converted(anyText, [main('keyFile')], 'Key of the client certificate.', (file, given) =>
    given.tls_cert_file
      ? { set: { [main('keyFile')]: file } }
      : { set: {}, note: 'ignored, as by imapproxy: it has no effect without tls_cert_file' },
  ),
  tls_ciphers: converted(
    anyText,
    [main('ciphers'), main('minTlsVersion')],
    'OpenSSL cipher list. `@SECLEVEL=0` in it also allows TLS 1.0 and 1.1.',
    (ciphers, given) => ({
      set: {
        [main('ciphers')]: ciphers,
        ...(allowsOldTls(given) && { [main('minTlsVersion')]: minTlsVersion(given) }),
      },
    }),
  ),
  tls_no_tlsv1: converted(
    yesNo,
    [main('minTlsVersion')],
    'The minimum is TLS 1.2 in any case, unless `tls_ciphers` contains `@SECLEVEL=0`.',
    withoutTlsVersion,
  ),
  'tls_no_tlsv1.1': converted(yesNo, [main('minTlsVersion')], 'Like `tls_no_tlsv1`.', withoutTlsVersion),
  'tls_no_tlsv1.2': converted(
    yesNo,
    [main('minTlsVersion')],
    'With `yes` the minimum is TLS 1.3. (imapproxy then allows TLS 1.1, unless that is forbidden as well.)',
    withoutTlsVersion,
  ),
  auth_sasl_plain_username: converted(
    anyText,
    [main('masterUser')],
    'Has an effect only together with the next two.',
    masterLogin('masterUser'),
  ),
  auth_sasl_plain_password: converted(
    anyText,
    [main('masterPassword')],
    'See `auth_sasl_plain_username`.',
    masterLogin('masterPassword'),
    { secret: true },
  ),
  auth_shared_secret: converted(
    anyText,
    [main('sharedSecret')],
    'The whole secret is compared. imapproxy also accepts an empty password; the edge does not.',
    masterLogin('sharedSecret'),
    { secret: true },
  ),
  protocol_log_filename: copied(
    anyText,
    ['trace.file'],
    'Any number of users can be traced at the same time. Passwords are never written, mail only on request.',
  ),
  stat_filename: withoutKey(
    anyText,
    'Use the local HTTP port instead of pimpstat: `/stats`, `/metrics`, or `imapfleet top --edge http://127.0.0.1:9143`.',
    () =>
      'not written: use http://127.0.0.1:9143/stats or /metrics, or imapfleet top --edge http://127.0.0.1:9143',
  ),
  syslog_facility: withoutKey(
    oneOf(facilities),
    `The edge writes its log to stderr. Set the facility by \`SyslogFacility=\` in \`${unit}\` (\`${edit}\`).`,
    (facility) => `the log goes to stderr; set SyslogFacility=${facility} in ${unit} (${edit})`,
  ),
  syslog_prioritymask: converted(
    oneOf(priorities),
    ['log.level'],
    `\`LogLevelMax=\` in \`${unit}\` (\`${edit}\`) limits what the journal keeps.`,
    ([level, systemd]) => ({
      set: { 'log.level': level },
      note: `to limit the journal as well, set LogLevelMax=${systemd} in ${unit} (${edit})`,
    }),
  ),
  proc_username: copied(
    unprivilegedAccount,
    ['process.user'],
    'The edge becomes this user after it opened its ports. With the systemd unit, `User=` sets it before the start.',
  ),
  proc_groupname: copied(
    unprivilegedAccount,
    ['process.group'],
    'Like `proc_username`; `Group=` in the unit.',
  ),
  chroot_directory: withoutKey(
    anyText,
    `Node cannot change its root directory. Use \`RootDirectory=\` in \`${unit}\` (\`${edit}\`), whose \`ProtectSystem=strict\` already makes most of the system read-only.`,
    (directory) =>
      `Node cannot change its root directory; set RootDirectory=${directory} in ${unit} (${edit}), whose ProtectSystem=strict already makes most of the system read-only`,
  ),
  foreground_mode: withoutKey(
    yesNo,
    `The edge always runs in the foreground. \`Type=\` in \`${unit}\` runs it as a service.`,
    (isForeground) =>
      isForeground
        ? 'the edge always runs in the foreground'
        : `the edge always runs in the foreground; ${unit} (Type=exec) runs it as a service`,
  ),
} satisfies Record<Keyword, KeywordRow>
