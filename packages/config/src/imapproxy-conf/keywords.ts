/**
 * All 35 keywords of imapproxy.conf: what each becomes here, or who carries its meaning instead. The notes on what
 * imapproxy itself does were read off the program (Debian's 1.2.8), where its manual is silent or says otherwise.
 */
import { account, listenAddress, oneOf, port, text, wholeNumber, yesNo } from './readers.ts'
import { elsewhere, plain, row, type Become, type Given, type Keyword, type Row } from './row.ts'
import { facilities, priorities } from './syslog.ts'

const main = (key: string) => `upstreams.main.${key}`
const unit = 'infra/systemd/imapfleet-edge.service'
const longestSeconds = (24 * 86_400_000) / 1000

const masterUser =
  (key: string): Become<string> =>
  (value, given) =>
    given.auth_sasl_plain_username && given.auth_sasl_plain_password && given.auth_shared_secret
      ? { set: { [main(key)]: value } }
      : {
          set: {},
          note: 'left out, as imapproxy does: auth_sasl_plain_username, auth_sasl_plain_password and auth_shared_secret work only together',
        }

const isYes = (value = 'no') => /^(y|yes|true)$/i.test(value)
const allowsOldTls = (given: Given) => /@SECLEVEL=0/.test(given.tls_ciphers ?? '')

/** TLS 1.0 and 1.1 need a cipher list that allows them; only then is their version opened as well. */
function leastTls(given: Given): string {
  if (isYes(given['tls_no_tlsv1.2'])) return 'TLSv1.3'
  if (!allowsOldTls(given)) return 'TLSv1.2'
  if (!isYes(given.tls_no_tlsv1)) return 'TLSv1'
  return isYes(given['tls_no_tlsv1.1']) ? 'TLSv1.2' : 'TLSv1.1'
}

const withoutTls: Become<boolean> = (forbidden, given) => ({
  set: { [main('minTlsVersion')]: leastTls(given) },
  ...(!forbidden &&
    !allowsOldTls(given) && {
      note: 'for less than TLS 1.2, tls_ciphers must hold @SECLEVEL=0, as for imapproxy on OpenSSL 3',
    }),
})

export const keywords = {
  server_hostname: row(
    text,
    [main('hosts')],
    'The one IMAP server; our own format takes several.',
    (host) => ({
      set: { [main('hosts')]: [host] },
    }),
  ),
  server_port: row(
    port,
    [main('port')],
    'For a server with TLS from the first byte (993) use our own format and `tls: implicit`.',
    (value) => ({
      set: { [main('port')]: value },
      ...(value === 993 && {
        note: 'imapproxy speaks STARTTLS only, also to port 993; for TLS from the first byte use the YAML format and tls: implicit',
      }),
    }),
  ),
  connect_retries: elsewhere(
    wholeNumber,
    'imapproxy counts these at its own start only. The edge starts without its server; logins use `connectAttempts`.',
    () =>
      'not needed: the edge starts when its server is down and finds it when it comes; for logins see upstreams.main.connectAttempts',
  ),
  connect_delay: elsewhere(
    wholeNumber,
    'As connect_retries; logins use `connectDelayMs`, the look-out for a server that is down `healthIntervalMs`.',
    () =>
      'not needed: the edge starts when its server is down and finds it when it comes; see upstreams.main.healthIntervalMs and connectDelayMs',
  ),
  dns_rr: plain(yesNo, [main('roundRobin')], 'Connections are spread over all addresses of the name.'),
  ipversion_only: row(oneOf({ 4: 'ipv4', 6: 'ipv6' }), [main('addressFamily')], '4 or 6.', (family) => ({
    set: { [main('addressFamily')]: family },
  })),
  preauth_command: plain(
    text,
    [main('preauthCommand')],
    'Sent to the server before each login; it must answer OK.',
  ),
  cache_size: plain(
    wholeNumber,
    [main('connectionsMax')],
    'Connections to the server, in use and idle; where it is reached, the longest idle one gives way to a login that succeeds, or the login waits (`queueMax`) instead of failing at once.',
  ),
  cache_expiration_time: row(
    wholeNumber,
    ['pool.idleTimeoutMs'],
    'Seconds become milliseconds. imapproxy looks once a minute, so it keeps a connection up to 60 s longer.',
    (seconds) => ({
      set: { 'pool.idleTimeoutMs': Math.min(Math.max(seconds, 1), longestSeconds) * 1000 },
      ...(seconds === 0 && { note: 'one second is the shortest time there is' }),
      ...(seconds > longestSeconds && { note: '24 days are the longest time there is' }),
    }),
    {
      absent: {
        set: {},
        note: 'imapproxy takes 0 and keeps a connection up to a minute; here 300 s, as in its sample file',
      },
    },
  ),
  enable_select_cache: row(
    yesNo,
    ['pool.selectCache'],
    '`yes` becomes `exact`: the cached answer is given only after the server has said that nothing changed.',
    (wanted) => ({
      set: { 'pool.selectCache': wanted ? 'exact' : 'off' },
      ...(wanted && {
        note: 'imapproxy answers blindly for 10 s; pool.selectCache: window in the YAML format does the same',
      }),
    }),
  ),
  listen_address: plain(
    listenAddress,
    ['listeners.imap.address'],
    'Without it: 0.0.0.0, as imapproxy binds. For IPv6 as well write `::`.',
    {
      absent: {
        set: { 'listeners.imap.address': '0.0.0.0' },
        note: 'every IPv4 address, as imapproxy binds; :: takes IPv6 as well',
      },
    },
  ),
  listen_port: plain(
    port,
    ['listeners.imap.port'],
    'Without it imapproxy takes any free port; the edge takes 143.',
    {
      absent: { set: {}, note: 'imapproxy takes any free port; here 143' },
    },
  ),
  send_tcp_keepalives: plain(yesNo, ['listeners.imap.keepAlive', main('keepAlive')], 'On both sides.'),
  enable_admin_commands: plain(
    yesNo,
    ['admin.commands'],
    'The XPROXY_ commands; `admin.allowFrom` limits who may use them.',
  ),
  force_tls: row(
    yesNo,
    [main('tls')],
    '`yes`: `starttls`. `no`: `opportunistic`, TLS whenever the server offers it, where imapproxy sends passwords unencrypted.',
    (forced) => ({ set: { [main('tls')]: forced ? 'starttls' : 'opportunistic' } }),
    {
      absent: {
        set: { [main('tls')]: 'opportunistic' },
        note: 'STARTTLS whenever the server offers it; yes makes it a condition',
      },
    },
  ),
  tls_verify_server: row(
    yesNo,
    [main('verify')],
    '`no` unless said otherwise, as in imapproxy; `yes` is recommended. It then checks the name too, which imapproxy does not: `serverName` if the certificate has another.',
    (verify) => ({
      set: { [main('verify')]: verify },
      note: verify
        ? 'the name in the certificate is checked too, which imapproxy does not; upstreams.main.serverName if it is another'
        : 'anybody in between can read the passwords; yes is recommended',
    }),
    {
      absent: {
        set: { [main('verify')]: false },
        note: 'not verified, as imapproxy does; tls_verify_server yes is recommended',
      },
    },
  ),
  tls_ca_file: plain(text, [main('caFile')], 'PEM file of authorities.'),
  tls_ca_path: plain(text, [main('caPath')], 'Directory of PEM files; their names need no hashes here.'),
  tls_cert_file: row(
    text,
    [main('certFile'), main('keyFile')],
    'Client certificate. Without tls_key_file the key is read from the same file.',
    (file, given) => ({
      set: { [main('certFile')]: file, ...(!given.tls_key_file && { [main('keyFile')]: file }) },
      ...(!given.tls_key_file && {
        note: 'the key is read from the same file, as imapproxy does without tls_key_file',
      }),
    }),
  ),
  tls_key_file: row(text, [main('keyFile')], 'Key of the client certificate.', (file, given) =>
    given.tls_cert_file
      ? { set: { [main('keyFile')]: file } }
      : { set: {}, note: 'left out, as imapproxy does: it means nothing without tls_cert_file' },
  ),
  tls_ciphers: row(
    text,
    [main('ciphers'), main('minTlsVersion')],
    'An OpenSSL cipher list. `@SECLEVEL=0` in it also opens TLS 1.0 and 1.1.',
    (ciphers, given) => ({
      set: {
        [main('ciphers')]: ciphers,
        ...(allowsOldTls(given) && { [main('minTlsVersion')]: leastTls(given) }),
      },
    }),
  ),
  tls_no_tlsv1: row(
    yesNo,
    [main('minTlsVersion')],
    'TLS 1.2 is the least in any case, unless tls_ciphers holds `@SECLEVEL=0`.',
    withoutTls,
  ),
  'tls_no_tlsv1.1': row(yesNo, [main('minTlsVersion')], 'As tls_no_tlsv1.', withoutTls),
  'tls_no_tlsv1.2': row(
    yesNo,
    [main('minTlsVersion')],
    '`yes`: TLS 1.3 is the least. (imapproxy goes down to 1.1 unless that is forbidden too.)',
    withoutTls,
  ),
  auth_sasl_plain_username: row(
    text,
    [main('masterUser')],
    'Works only together with the next two.',
    masterUser('masterUser'),
  ),
  auth_sasl_plain_password: row(
    text,
    [main('masterPassword')],
    'See auth_sasl_plain_username.',
    masterUser('masterPassword'),
    { secret: true },
  ),
  auth_shared_secret: row(
    text,
    [main('sharedSecret')],
    'Compared as a whole; imapproxy lets an empty password pass, the edge does not.',
    masterUser('sharedSecret'),
    { secret: true },
  ),
  protocol_log_filename: plain(
    text,
    ['trace.file'],
    'Any number of users at once; passwords are never written, message bodies only on request.',
  ),
  stat_filename: elsewhere(
    text,
    'The numbers of pimpstat are at the local HTTP port: `/stats`, `/metrics`, `imapfleet top --edge http://127.0.0.1:9143`.',
    () =>
      'not written: the numbers are at http://127.0.0.1:9143/stats and /metrics, on a screen by imapfleet top --edge http://127.0.0.1:9143',
  ),
  syslog_facility: elsewhere(
    oneOf(facilities),
    `The edge writes to stderr; \`SyslogFacility=\` in \`${unit}\` names the facility.`,
    (facility) => `the log goes to stderr: SyslogFacility=${facility} in ${unit}`,
  ),
  syslog_prioritymask: row(
    oneOf(priorities),
    ['log.level'],
    `\`LogLevelMax=\` in \`${unit}\` filters what the service manager keeps.`,
    ([level, systemd]) => ({
      set: { 'log.level': level },
      note: `LogLevelMax=${systemd} in ${unit} filters the same once more`,
    }),
  ),
  proc_username: plain(
    account,
    ['process.user'],
    'Taken on after binding. With the systemd unit, `User=` does it before the start.',
  ),
  proc_groupname: plain(account, ['process.group'], 'As proc_username; `Group=` in the unit.'),
  chroot_directory: elsewhere(
    text,
    `A process of Node's cannot shut itself in: \`RootDirectory=\` in \`${unit}\`; its \`ProtectSystem=strict\` does most of it without.`,
    (directory) =>
      `Node cannot change its root: RootDirectory=${directory} in ${unit}, whose ProtectSystem=strict does most of it already`,
  ),
  foreground_mode: elsewhere(
    yesNo,
    `Always in the foreground; \`Type=\` in \`${unit}\` makes it a service.`,
    (foreground) =>
      foreground ? 'always so' : `always in the foreground: ${unit} (Type=exec) makes it a service`,
  ),
} satisfies Record<Keyword, Row>
