import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkEnd } from './link.ts'
import { acceptErrorText, dialErrorReason, dialErrorText, exhaustionOf, linkEndOf } from './socket-errors.ts'

const errorWith = (code: string, message: string, syscall?: string) =>
  Object.assign(new Error(message), { code }, syscall === undefined ? {} : { syscall })

test('every raw error of an open connection becomes the end of its link', () => {
  const expected: Record<string, LinkEnd> = {
    ETIMEDOUT: 'timed-out',
    ECONNRESET: 'reset-by-peer',
    EPIPE: 'reset-by-peer',
    ERR_SSL_WRONG_VERSION_NUMBER: 'tls-failed',
    ERR_TLS_CERT_ALTNAME_INVALID: 'tls-failed',
    EHOSTUNREACH: 'closed-by-peer',
  }
  for (const [code, end] of Object.entries(expected)) assert.equal(linkEndOf(code), end)
  assert.equal(linkEndOf(''), 'closed-by-peer')
})

test('a failed dial has a reason, and a sentence with the code and the setting to change', () => {
  const refused = errorWith('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:143', 'connect')
  assert.equal(dialErrorReason(refused), 'refused')
  assert.equal(dialErrorText(refused), 'connect ECONNREFUSED')
  const unknownHost = errorWith('ENOTFOUND', 'getaddrinfo ENOTFOUND mail.example.org', 'getaddrinfo')
  assert.equal(dialErrorText(unknownHost), 'getaddrinfo ENOTFOUND')

  const expired = errorWith('CERT_HAS_EXPIRED', 'certificate has expired; use --use-system-ca')
  assert.equal(dialErrorReason(expired), 'tls-failed')
  assert.equal(
    dialErrorText(expired),
    'certificate has expired (CERT_HAS_EXPIRED): renew it at the server, or set the clock of this host',
  )
  const unknown = errorWith('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain')
  assert.match(dialErrorText(unknown), /: set caFile to its CA, or serverName to its name$/)
  const protocol = errorWith('ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number')
  assert.equal(dialErrorReason(protocol), 'tls-failed')
  assert.equal(dialErrorText(protocol), 'wrong version number (ERR_SSL_WRONG_VERSION_NUMBER)')

  assert.equal(dialErrorReason(new Error('closed by the server')), 'closed-by-peer')
})

test('a shortage of this machine is distinguished from a fault of the peer, and the message has the limit to raise', () => {
  for (const [code, reason, advice] of [
    ['EMFILE', 'out-of-files', /LimitNOFILE=/],
    ['ENFILE', 'out-of-files', /fs\.file-max/],
    ['EADDRNOTAVAIL', 'out-of-ports', /ip_local_port_range/],
    ['ENOBUFS', 'out-of-memory', /tcp_mem/],
    ['ENOMEM', 'out-of-memory', /tcp_mem/],
  ] as const) {
    const error = Object.assign(errorWith(code, `connect ${code} 127.0.0.1:143`, 'connect'), {
      address: '127.0.0.1',
    })
    assert.equal(dialErrorReason(error), reason)
    assert.match(dialErrorText(error), advice)
    assert.match(acceptErrorText({ code }), advice)
  }
  assert.equal(exhaustionOf(errorWith('ECONNREFUSED', 'x')), undefined)
})
