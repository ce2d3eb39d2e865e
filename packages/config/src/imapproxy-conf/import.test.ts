import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonValue } from '../layer.ts'
import { flattenLayer } from '../layer.ts'
import { printProblem } from '../problem.ts'
import { importImapproxyConf, keywordNames, printReportRow, type ImportedConf } from './import.ts'

/** Any UTF-16 at all, control characters and lone surrogates included. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))

const withoutDefaults = 'listen_address 127.0.0.1\nforce_tls no\ntls_verify_server no\n'

function accepted(text: string): Extract<ImportedConf, { ok: true }> {
  const imported = importImapproxyConf(text)
  assert.ok(
    imported.ok,
    imported.ok ? '' : imported.problems.map((problem) => printProblem(problem)).join('\n'),
  )
  return imported
}

function settings(text: string): Record<string, JsonValue> {
  return Object.fromEntries(flattenLayer(accepted(text).document))
}

function problemsIn(text: string): string[] {
  const imported = importImapproxyConf(text)
  return imported.ok ? [] : imported.problems.map((problem) => printProblem(problem, 'imapproxy.conf'))
}

const reportOf = (text: string) => accepted(text).report.map(printReportRow)

test('an empty file behaves like imapproxy without any keyword', () => {
  assert.deepEqual(settings(''), {
    'listeners.imap.address': '0.0.0.0',
    'upstreams.main.tls': 'opportunistic',
    'upstreams.main.verify': false,
  })
  const { config } = accepted('')
  assert.equal(config.listeners['imap']?.port, 143)
  assert.equal(config.pool.idleTimeoutMs, 300_000)
  assert.equal(config.pool.selectCache, 'off')
  assert.equal(config.admin.commands, false)
})

test('each keyword has the meaning that it has in imapproxy', () => {
  const cases: [string, Record<string, JsonValue>][] = [
    ['server_hostname mail.example.org', { 'upstreams.main.hosts': ['mail.example.org'] }],
    ['server_port 1143', { 'upstreams.main.port': 1143 }],
    ['server_port imap', { 'upstreams.main.port': 143 }],
    ['dns_rr yes', { 'upstreams.main.roundRobin': true }],
    ['ipversion_only 4', { 'upstreams.main.addressFamily': 'ipv4' }],
    ['ipversion_only 6', { 'upstreams.main.addressFamily': 'ipv6' }],
    ['preauth_command ID ("GUID" "1")', { 'upstreams.main.preauthCommand': 'ID ("GUID" "1")' }],
    ['cache_size 50', { 'upstreams.main.connectionsMax': 50 }],
    ['cache_expiration_time 5', { 'pool.idleTimeoutMs': 5000 }],
    ['cache_expiration_time 0', { 'pool.idleTimeoutMs': 1000 }],
    ['cache_expiration_time 99999999', { 'pool.idleTimeoutMs': 24 * 86_400_000 }],
    ['enable_select_cache yes', { 'pool.selectCache': 'exact' }],
    ['listen_port 1143', { 'listeners.imap.port': 1143 }],
    ['send_tcp_keepalives yes', { 'listeners.imap.keepAlive': true, 'upstreams.main.keepAlive': true }],
    ['enable_admin_commands yes', { 'admin.commands': true }],
    ['tls_ca_file /ca.pem', { 'upstreams.main.caFile': '/ca.pem' }],
    ['tls_ca_path /ca', { 'upstreams.main.caPath': '/ca' }],
    ['tls_ciphers ALL:!aNULL', { 'upstreams.main.ciphers': 'ALL:!aNULL' }],
    ['protocol_log_filename /log/p', { 'trace.file': '/log/p' }],
    ['syslog_prioritymask LOG_WARNING', { 'log.level': 'warn' }],
    ['proc_username nobody', { 'process.user': 'nobody' }],
    ['proc_groupname nogroup', { 'process.group': 'nogroup' }],
    ['connect_retries 10', {}],
    ['connect_delay 5', {}],
    ['stat_filename /run/pimpstats', {}],
    ['syslog_facility LOG_LOCAL3', {}],
    ['chroot_directory /jail', {}],
    ['foreground_mode yes', {}],
  ]
  for (const [line, expected] of cases) {
    const found = settings(withoutDefaults + line)
    for (const given of flattenLayer(accepted(withoutDefaults).document)) delete found[given[0]]
    assert.deepEqual(found, expected, line)
  }
})

test('TLS is required with force_tls, and otherwise used if the server offers it', () => {
  assert.equal(settings('force_tls yes')['upstreams.main.tls'], 'starttls')
  assert.equal(settings('force_tls no')['upstreams.main.tls'], 'opportunistic')
})

test('the server is verified only with tls_verify_server yes, and the report recommends it', () => {
  assert.equal(settings('tls_verify_server yes')['upstreams.main.verify'], true)
  assert.equal(settings('tls_verify_server no')['upstreams.main.verify'], false)
  for (const text of ['', 'tls_verify_server no'])
    assert.ok(
      reportOf(text).some((line) => line.includes('tls_verify_server') && line.includes('recommended')),
    )
})

test('the key of a client certificate is read from the same file if no other is named', () => {
  const found = (text: string) => {
    const { 'upstreams.main.certFile': cert, 'upstreams.main.keyFile': key } = settings(text)
    return [cert, key]
  }
  assert.deepEqual(found('tls_cert_file /c\ntls_key_file /k'), ['/c', '/k'])
  assert.deepEqual(found('tls_key_file /k\ntls_cert_file /c'), ['/c', '/k'])
  assert.deepEqual(found('tls_cert_file /both'), ['/both', '/both'])
  assert.deepEqual(found('tls_key_file /k'), [undefined, undefined])
})

test('TLS versions below 1.2 are off unless the cipher list allows them', () => {
  const least = (text: string) => settings(text)['upstreams.main.minTlsVersion']
  const old = 'tls_ciphers ALL:@SECLEVEL=0\n'
  assert.equal(least('tls_no_tlsv1 no'), 'TLSv1.2')
  assert.equal(least('tls_no_tlsv1 yes\ntls_no_tlsv1.1 yes'), 'TLSv1.2')
  assert.equal(least('tls_no_tlsv1.2 yes'), 'TLSv1.3')
  assert.equal(least(old), 'TLSv1')
  assert.equal(least(`${old}tls_no_tlsv1 no`), 'TLSv1')
  assert.equal(least(`${old}tls_no_tlsv1 yes`), 'TLSv1.1')
  assert.equal(least(`${old}tls_no_tlsv1 yes\ntls_no_tlsv1.1 yes`), 'TLSv1.2')
  assert.equal(least(`${old}tls_no_tlsv1.2 yes`), 'TLSv1.3')
})

test('single sign-on is used only if it is complete, and its secrets are never shown', () => {
  const whole =
    'auth_sasl_plain_username master\nauth_sasl_plain_password alpha-1\nauth_shared_secret beta#2\n'
  const found = settings(whole)
  assert.equal(found['upstreams.main.masterUser'], 'master')
  assert.equal(found['upstreams.main.masterPassword'], 'alpha-1')
  assert.equal(found['upstreams.main.sharedSecret'], 'beta#2')
  assert.doesNotMatch(JSON.stringify(accepted(whole).report), /alpha-1|beta/)
  const tooLong = problemsIn(`${whole}auth_shared_secret ${'gamma'.repeat(300)}`).join()
  assert.match(tooLong, /imapproxy\.conf:4: auth_shared_secret must be at most 1024 characters/)
  assert.doesNotMatch(tooLong, /gamma/)
  assert.deepEqual(settings(`${withoutDefaults}auth_shared_secret beta`), settings(withoutDefaults))
  assert.ok(reportOf('auth_shared_secret beta').some((line) => line.includes('ignored')))
})

test('the report names the systemd setting that replaces a keyword', () => {
  const report = reportOf(
    'syslog_facility LOG_LOCAL3\nsyslog_prioritymask LOG_ERR\nchroot_directory /jail\nforeground_mode no',
  ).join('\n')
  for (const setting of ['SyslogFacility=local3', 'LogLevelMax=err', 'RootDirectory=/jail', 'Type=exec'])
    assert.ok(report.includes(setting), setting)
})

test('the last of several lines with one keyword is used, and the report says so', () => {
  const text = 'listen_port 1\nlisten_port 2\n'
  assert.equal(settings(text)['listeners.imap.port'], 2)
  assert.equal(reportOf(text)[0], 'line 1: listen_port 1 → ignored, because line 2 sets it again')
})

test('all mistakes are reported together, each with its line', () => {
  const text = `listen_port imap2x
server_port 70000
\tenable_select_cache\ton
cache_size 0

tls_verify_servr yes
server_hostname = mail
force_tls=yes
proc_username root
syslog_facility LOG_LOCL0
ipversion_only 5
listen_address mail.example
stat_filename
something else
`
  assert.deepEqual(problemsIn(text), [
    'imapproxy.conf:1: listen_port must be a port from 1 to 65535, not "imap2x"',
    'imapproxy.conf:2: server_port must be a port from 1 to 65535, not "70000"',
    'imapproxy.conf:3: enable_select_cache must be yes or no, not "on" (which imapproxy reads as no)',
    'imapproxy.conf:4: cache_size must be at least 1, not 0',
    'imapproxy.conf:6: tls_verify_servr is not a keyword of imapproxy.conf; did you mean tls_verify_server?',
    'imapproxy.conf:7: server_hostname must be separated from its value by a space, not by =',
    'imapproxy.conf:8: force_tls must be separated from its value by a space, not by =',
    'imapproxy.conf:9: proc_username must not be root; use an account without privileges',
    'imapproxy.conf:10: syslog_facility must not be "LOG_LOCL0"; did you mean LOG_LOCAL0?',
    'imapproxy.conf:11: ipversion_only must be one of 4, 6, not "5"',
    'imapproxy.conf:12: listen_address must be an address such as 127.0.0.1, not "mail.example"',
    'imapproxy.conf:13: stat_filename has no value; add one, or put # before the line',
    'imapproxy.conf:14: something is not a keyword of imapproxy.conf',
  ])
})

test('every line of an accepted file is in the report exactly once', () => {
  const line = fc
    .constantFrom(...keywordNames)
    .chain((keyword) =>
      fc
        .constantFrom('yes', 'no', '4', '6', '127.0.0.1', 'LOG_MAIL', 'LOG_ERR', 'nobody')
        .map((value) => `${keyword} ${value}`),
    )
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      const imported = importImapproxyConf(lines.join('\n'))
      if (!imported.ok) return
      const told = imported.report.filter((row) => row.line !== undefined)
      assert.deepEqual(
        told.map((row) => row.line),
        lines.map((_, index) => index + 1),
      )
      for (const row of told) assert.ok(row.became.length > 0 || row.note, printReportRow(row))
    }),
    { seed: 20_260_110, numRuns: 300 },
  )
})

test('importing never throws, whatever the text is', () => {
  const word = fc.oneof(fc.constantFrom(...keywordNames), anyText)
  const hostile = fc.array(
    fc
      .tuple(word, fc.constantFrom(' ', '\t', '=', '', '#'), word, fc.constantFrom('\n', '\r\n', '\r'))
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(hostile, (lines) => {
      const imported = importImapproxyConf(lines.join(''))
      assert.ok(imported.ok || imported.problems.length > 0)
    }),
    { seed: 20_260_111, numRuns: 300 },
  )
})
