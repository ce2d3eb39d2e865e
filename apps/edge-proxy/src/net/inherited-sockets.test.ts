import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { inheritanceOf, InheritedSockets, type ListeningSocket } from './inherited-sockets.ts'

/** The sockets of a process that is started with this environment. */
function inherit(environment: NodeJS.ProcessEnv): InheritedSockets {
  Object.assign(process.env, environment)
  return InheritedSockets.fromEnvironment()
}

const imap: ListeningSocket = { address: '::1', port: 143, file: 4 }
const imaps: ListeningSocket = { address: '127.0.0.1', port: 993, file: 5 }

test('each socket is found by the address and port of the configuration, once', () => {
  const sockets = inherit(inheritanceOf([imap, imaps]))
  assert.equal(sockets.isEmpty, false)
  assert.equal(sockets.take({ address: '127.0.0.1', port: 143 }), undefined)
  assert.equal(sockets.take(imaps), 5)
  assert.equal(sockets.take(imaps), undefined)
  assert.equal(sockets.take(imap), 4)
  assert.equal(sockets.isEmpty, true)
})

test('other programs that this process starts do not get the variable', () => {
  inherit(inheritanceOf([imap]))
  assert.equal(InheritedSockets.fromEnvironment().isEmpty, true)
})

test('an environment that names no sockets gives none', () => {
  const [variable = ''] = Object.keys(inheritanceOf([]))
  for (const text of ['', '4', '=::1/143', '-1=::1', 'four=::1/143', '4=/143', '4=::1/port'])
    assert.equal(inherit({ [variable]: text }).isEmpty, true, text)
})

test('sockets that the configuration no longer has are closed', () => {
  const file = openSync('/dev/null', 'r')
  const other = openSync('/dev/null', 'r')
  const sockets = inherit(
    inheritanceOf([
      { ...imap, file },
      { ...imaps, file: other },
    ]),
  )
  assert.equal(sockets.take(imap), file)
  sockets.closeRest()
  assert.throws(() => fstatSync(other), { code: 'EBADF' })
  closeSync(file)
})
