import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listenFailed } from './errors.ts'

const errorWith = (code: string, message: string) => Object.assign(new Error(message), { code })
const http = { section: 'http', address: '127.0.0.1', port: 9143 }

test('the error for a port that cannot be bound has advice, or the system’s text', () => {
  const inUse = listenFailed(http, errorWith('EADDRINUSE', 'x'))
  assert.equal(inUse.code, 'listen_failed')
  assert.match(inUse.message, /^http: cannot listen on 127\.0\.0\.1 port 9143: .*set http\.port to another/)
  assert.match(listenFailed(http, errorWith('EIO', 'i/o error')).message, /: i\/o error$/)
})

test('for a host without IPv6, the advice is an IPv4 address', () => {
  assert.equal(
    listenFailed({ section: 'listeners.imap', address: '::', port: 143 }, errorWith('EAFNOSUPPORT', 'x'))
      .message,
    'listeners.imap: cannot listen on :: port 143: this host has no IPv6: use an IPv4 address, such as 0.0.0.0',
  )
})
