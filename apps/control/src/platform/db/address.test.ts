import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerCertificate } from 'node:tls'
import { databaseAddress, isDatabaseUrl } from './address.ts'

const plain = 'postgres://imapfleet:p%40ss@192.0.2.1:5432/imapfleet'
const localhost = { subject: {}, subjectaltname: 'DNS:localhost' } as unknown as PeerCertificate
const verified = (text: string, ca?: string) => {
  const { ssl } = databaseAddress(text, ca)
  assert.ok(typeof ssl === 'object' && ssl.checkServerIdentity)
  return ssl.checkServerIdentity
}

test('without settings there is no TLS, and with an authority the server is verified', () => {
  assert.deepEqual(databaseAddress(plain, undefined), {
    url: plain,
    hosts: [{ host: '192.0.2.1', port: 5432 }],
    ssl: false,
  })
  assert.ok(verified(plain, 'CA')('localhost', localhost) instanceof Error)
})

test('the modes are those of libpq', () => {
  for (const [mode, ca, ssl] of [
    ['disable', 'CA', false],
    ['allow', undefined, 'prefer'],
    ['prefer', 'CA', 'prefer'],
    ['require', undefined, 'require'],
  ] as const)
    assert.deepEqual(databaseAddress(`${plain}?sslmode=${mode}`, ca).ssl, ssl, mode)
  assert.equal(verified(`${plain}?sslmode=require`, 'CA')('localhost', localhost), undefined)
  assert.equal(verified(`${plain}?sslmode=verify-ca`)('localhost', localhost), undefined)
  assert.ok(verified(`${plain}?sslmode=verify-full`)('localhost', localhost) instanceof Error)
})

test('the driver gets an address without settings that the server would not know', () => {
  const text = `${plain}?sslmode=verify-full&sslrootcert=%2Fca.pem&application_name=x`
  assert.equal(databaseAddress(text, 'CA').url, `${plain}?application_name=x`)
})

test('several hosts have ports of their own, and the driver gets the first one', () => {
  const text =
    'postgres://imapfleet:p%40ss@db-1:5433,db-2,[2001:db8::1]:5434/imapfleet?target_session_attrs=read-write'
  const { url, hosts } = databaseAddress(text, undefined)
  assert.equal(url, 'postgres://imapfleet:p%40ss@db-1:5433/imapfleet')
  assert.deepEqual(hosts, [
    { host: 'db-1', port: 5433 },
    { host: 'db-2', port: 5432 },
    { host: '2001:db8::1', port: 5434 },
  ])
  for (const wrong of [
    'postgres://db-1:5433,db-2:x/imapfleet',
    'postgres://db,,db/x',
    'postgres:db',
    'http://db/x',
    'postgres://%zz/x',
    'postgres://imapfleet:100%@db/x',
    'postgres://a%b@db/x',
    'postgres://imapfleet@db/100%',
  ])
    assert.equal(isDatabaseUrl(wrong), false, wrong)
})

test('a password of any characters reaches the driver as it is', () => {
  for (const password of ['p@ss:w/rd?#%41', '100% "sicher"', 'ä€'])
    for (const text of [
      'postgres://imapfleet@db:5432/imapfleet',
      'postgres://imapfleet@db-1,db-2/imapfleet',
    ]) {
      const { url } = databaseAddress(text, undefined, password)
      assert.equal(decodeURIComponent(new URL(url).password), password)
      assert.equal(new URL(url).username, 'imapfleet')
    }
})
