import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSettings } from './settings.ts'

const DATABASE_URL = 'postgres://imapfleet@127.0.0.1/imapfleet'
const problemOf = (env: Record<string, string>) => {
  const parsed = parseSettings(env)
  return parsed.ok ? assert.fail('it was accepted') : parsed.problem
}

test('only the database is required, and everything else has a default', () => {
  const parsed = parseSettings({ DATABASE_URL, NATS_URL: '', HOME: '/root' })
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.settings.NATS_URL, ['nats://127.0.0.1:4222'])
  assert.equal(parsed.settings.NATS_REPLICAS, 1)
})

test('several NATS servers are separated by commas', () => {
  const parsed = parseSettings({ DATABASE_URL, NATS_URL: 'nats://a:4222, tls://b:4222' })
  assert.deepEqual(parsed.ok && parsed.settings.NATS_URL, ['nats://a:4222', 'tls://b:4222'])
})

test('several servers of Postgres are separated by commas, and one must accept writes', () => {
  const two = 'postgres://imapfleet@db-1:5432,db-2:5432/imapfleet'
  assert.equal(parseSettings({ DATABASE_URL: `${two}?target_session_attrs=read-write` }).ok, true)
  assert.match(
    problemOf({ DATABASE_URL: `${two}?target_session_attrs=standby` }),
    /^DATABASE_URL must have a target_session_attrs of any, read-write, primary: control writes$/,
  )
})

test('a missing or wrong setting is named with what to write, without its value', () => {
  assert.match(problemOf({}), /^DATABASE_URL is not set; for example postgres:/)
  assert.match(
    problemOf({ DATABASE_URL: 'mysql://root:secret@db/x' }),
    /^DATABASE_URL must be like postgres:/,
  )
  assert.doesNotMatch(problemOf({ DATABASE_URL: 'mysql://root:secret@db/x' }), /secret/)
  assert.match(problemOf({ DATABASE_URL, NATS_URL: '127.0.0.1:4222' }), /^NATS_URL must be like nats:/)
  assert.match(
    problemOf({ DATABASE_URL, NATS_REPLICAS: 'three', TRACES_KEPT_HOURS: '0' }),
    /NATS_REPLICAS .*; TRACES_KEPT_HOURS /,
  )
  assert.equal(
    problemOf({ DATABASE_URL, REPORTS_KEPT_DAYS: '100' }),
    'MINUTES_KEPT_DAYS must not be less than REPORTS_KEPT_DAYS',
  )
  assert.equal(
    problemOf({ DATABASE_URL, HOURS_KEPT_DAYS: '30' }),
    'HOURS_KEPT_DAYS must not be less than MINUTES_KEPT_DAYS',
  )
})

test('a number is written in digits, and the sentence says which numbers are possible', () => {
  const range = 'REPORTS_KEPT_DAYS must be a whole number from 1 to 366'
  for (const REPORTS_KEPT_DAYS of ['many', '0', '367', '0x10', '1e1', '2.5', '-1'])
    assert.equal(problemOf({ DATABASE_URL, REPORTS_KEPT_DAYS }), range, REPORTS_KEPT_DAYS)
  assert.equal(
    problemOf({ DATABASE_URL, TRACES_STREAM_BYTES_MAX: '1GB' }),
    'TRACES_STREAM_BYTES_MAX must be a whole number of at least 1048576',
  )
  for (const NATS_REPLICAS of ['0', '2', '4', '0x3', '7'])
    assert.equal(problemOf({ DATABASE_URL, NATS_REPLICAS }), 'NATS_REPLICAS must be 1, 3 or 5')
  const parsed = parseSettings({ DATABASE_URL, NATS_REPLICAS: ' 3 ', REPORTS_KEPT_DAYS: '08' })
  assert.ok(parsed.ok)
  assert.deepEqual([parsed.settings.NATS_REPLICAS, parsed.settings.REPORTS_KEPT_DAYS], [3, 8])
})

test('an address has nothing that would be ignored', () => {
  for (const NATS_URL of [
    'nats://',
    'nats://:4222',
    'nats://user:secret@nats:4222',
    'nats://token@nats:4222',
    'nats://nats:4222/path',
    'nats://nats:4222?tls=true',
    'nats://nats:99999',
    'nats://a,',
  ]) {
    const problem = problemOf({ DATABASE_URL, NATS_URL })
    assert.match(problem, /^NATS_URL must be like nats:.* NATS_TOKEN_FILE$/, NATS_URL)
    assert.doesNotMatch(problem, /secret/)
  }
  assert.equal(parseSettings({ DATABASE_URL, NATS_URL: 'nats://[::1]:4222,tls://nats/' }).ok, true)
  for (const url of [
    'postgres:///imapfleet?host=/var/run/postgresql',
    'postgres://imapfleet@localhost/imapfleet?hostaddr=192.0.2.1',
    'postgres://localhost/imapfleet?port=5433',
    'postgres://%2Fvar%2Frun%2Fpostgresql/imapfleet',
  ])
    assert.match(
      problemOf({ DATABASE_URL: url }),
      /^DATABASE_URL must name a host, such as 127\.0\.0\.1/,
      url,
    )
})

const oidc = {
  DATABASE_URL,
  PUBLIC_URL: 'https://control.example',
  OIDC_ISSUER: 'https://idp.example/realms/staff',
  OIDC_CLIENT_ID: 'imapfleet',
  OIDC_CLIENT_SECRET_FILE: '/etc/imapfleet/oidc.secret',
  OIDC_GROUPS_FILE: '/etc/imapfleet/groups.yaml',
}

test('the settings of a provider are given together', () => {
  assert.equal(parseSettings(oidc).ok, true)
  assert.equal(parseSettings({ DATABASE_URL, PUBLIC_URL: oidc.PUBLIC_URL }).ok, true)
  for (const missing of [
    'PUBLIC_URL',
    'OIDC_ISSUER',
    'OIDC_CLIENT_ID',
    'OIDC_CLIENT_SECRET_FILE',
    'OIDC_GROUPS_FILE',
  ])
    assert.match(
      problemOf({ ...oidc, [missing]: '' }),
      new RegExp(`^${missing} must be set, because OIDC_\\w+ is set$`),
    )
  assert.match(
    problemOf({ DATABASE_URL, OIDC_LABEL: 'Staff' }),
    /OIDC_ISSUER must be set, because OIDC_LABEL is set/,
  )
})

test('codes and cookies pass over https, or stay on this machine', () => {
  for (const PUBLIC_URL of [
    'http://control.example',
    'control.example',
    'https://control.example/path',
    'https://control.example/?a',
    'https://user:secret@control.example',
    'http://127.0.0.1.evil.example',
    'javascript:alert(1)',
  ])
    assert.match(problemOf({ ...oidc, PUBLIC_URL }), /^PUBLIC_URL must be like https:/)
  for (const OIDC_ISSUER of [
    'http://idp.example',
    'idp.example',
    'https://idp.example/?a=b',
    'https://a:secret@idp.example',
  ])
    assert.match(problemOf({ ...oidc, OIDC_ISSUER }), /^OIDC_ISSUER must be the https address/)
  const local = { ...oidc, PUBLIC_URL: 'http://127.0.0.1:8080/', OIDC_ISSUER: 'http://localhost:9000' }
  const parsed = parseSettings(local)
  assert.equal(parsed.ok && parsed.settings.PUBLIC_URL, 'http://127.0.0.1:8080')
})

test('scopes contain openid', () => {
  for (const OIDC_SCOPES of ['email profile', 'openid "quoted"', 'openid é'])
    assert.match(problemOf({ ...oidc, OIDC_SCOPES }), /^OIDC_SCOPES must be scopes/)
  const parsed = parseSettings({ ...oidc, OIDC_SCOPES: 'openid  groups' })
  assert.deepEqual(parsed.ok && parsed.settings.OIDC_SCOPES, ['openid', 'groups'])
})
