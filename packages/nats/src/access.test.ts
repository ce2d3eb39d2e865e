import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { readAccess, type NatsFiles } from './access.ts'

const directory = temporaryDirectory('nats')

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const read = (server: string, files: NatsFiles = {}) => readAccess([server], files, (key) => `fleet.${key}`)
const accessTo = (server: string, files?: NatsFiles) => {
  const result = read(server, files)
  assert.ok(result.ok)
  return result.access
}
const reasonFor = (files: NatsFiles) => {
  const result = read('nats://a', files)
  assert.ok(!result.ok)
  return result.reason
}

/** As written by `nsc` and control, but without a newline at its end. */
const credentials = `-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4
------END USER NKEY SEED------`

test('TLS is required if a server is written as tls://, or if an authority or a certificate is configured', () => {
  const pem = file('pem', testCertificate)
  assert.equal(accessTo('nats://a').tls, undefined)
  assert.notEqual(accessTo('tls://a').tls, undefined)
  assert.equal(accessTo('nats://a', { tlsCaFile: pem }).tls?.ca, testCertificate.trim())
  const { tls } = accessTo('nats://a', { tlsCertFile: pem, tlsKeyFile: file('key', testKey) })
  assert.deepEqual([tls?.cert, tls?.key], [testCertificate.trim(), testKey.trim()])
})

test('a token is read without the newline at its end', () => {
  const { authenticator } = accessTo('nats://a', { tokenFile: file('token', 'secret\n') })
  assert.deepEqual(authenticator?.(''), { auth_token: 'secret' })
})

test('credentials without a newline at their end are read, and take precedence over a token', () => {
  const { authenticator } = accessTo('nats://a', {
    tokenFile: file('token', 'secret'),
    credentialsFile: file('creds', credentials),
  })
  const auth = authenticator?.('nonce') as { jwt: string; auth_token?: string }
  assert.deepEqual([auth.jwt, auth.auth_token], ['eyJ0eXAiOiJKV1QifQ', undefined])
})

test('the reason for an unusable file names the file and its setting', () => {
  assert.equal(reasonFor({ tlsCaFile: '/nowhere' }), 'fleet.tlsCaFile: cannot read /nowhere: ENOENT')
  const token = file('token', 'secret')
  assert.equal(
    reasonFor({ credentialsFile: token }),
    `fleet.credentialsFile: ${token} is not a NATS credentials file`,
  )
})

test('a file without a token, an authority or a certificate is refused', () => {
  const text = file('text', 'no certificate\n')
  const pem = file('pem', testCertificate)
  const damaged = file('damaged', testCertificate.replace('MII', 'AAA'))
  const empty = file('empty', '\n')
  assert.equal(reasonFor({ tokenFile: empty }), `fleet.tokenFile: ${empty} is empty`)
  for (const tlsCaFile of [text, empty, damaged])
    assert.equal(
      reasonFor({ tlsCaFile }),
      `fleet.tlsCaFile: ${tlsCaFile} is not a PEM file with a certificate`,
    )
  const unusable = reasonFor({ tlsCertFile: pem, tlsKeyFile: text })
  assert.ok(unusable.startsWith(`fleet.tlsCertFile: cannot use ${pem} with ${text}: `), unusable)
})

test('a certificate without its key is refused, and a key without its certificate', () => {
  const needed = 'fleet.tlsCertFile and fleet.tlsKeyFile must be set together'
  assert.equal(reasonFor({ tlsCertFile: file('pem', 'PEM') }), needed)
  assert.equal(reasonFor({ tlsKeyFile: file('pem', 'PEM') }), needed)
})

test('the expiry of a credential is read from it, and one without an expiry has none', () => {
  const creds = (claims: object) => {
    const jwt = ['{}', JSON.stringify(claims), 'signature']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.')
    return (
      `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n` +
      '-----BEGIN USER NKEY SEED-----\nSU\n------END USER NKEY SEED------\n'
    )
  }
  const expiryOf = (text: string) => {
    const found = read('nats://127.0.0.1', { credentialsFile: file('expiring', text) })
    assert.ok(found.ok)
    return found.access.expiresAt?.getTime()
  }
  assert.equal(expiryOf(creds({ exp: 1_800_000_000 })), 1_800_000_000_000)
  for (const claims of [{}, { exp: 0 }, { exp: 'soon' }]) assert.equal(expiryOf(creds(claims)), undefined)
  assert.equal(expiryOf(creds({}).replace(/e30\./, '!')), undefined)
})
