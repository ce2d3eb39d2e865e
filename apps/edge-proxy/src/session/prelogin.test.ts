import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import type { Peer } from '../net/wire.test-support.ts'
import { arriving, contextOf, said } from './arriving.test-support.ts'

test('commands before login are answered by the edge, in order', async () => {
  const { peer, login } = await arriving()
  const done = login()
  peer.say('a CAPABILITY\r\nb NOOP\r\nc ID ("name" "x")\r\nd SELECT INBOX\r\ne logout\r\n')
  assert.equal(
    await peer.closed(),
    '* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=LOGIN AUTH=XOAUTH2 AUTH=OAUTHBEARER\r\na OK Completed\r\n' +
      'b OK Completed\r\n' +
      'c OK Completed\r\n' +
      'd BAD Please login first\r\n' +
      '* BYE Logging out\r\ne OK Completed\r\n',
  )
  assert.equal(await done, undefined)
})

test('a malformed command is answered BAD and has no other effect', async () => {
  const { peer, login } = await arriving()
  void login()
  for (const [command, answer] of [
    ['\r\n', '* BAD Invalid tag'],
    ['+ LOGIN joe secret\r\n', '* BAD Invalid tag'],
    ['a\r\n', 'a BAD Please login first'],
    ['a (\r\n', 'a BAD Please login first'],
    ['a FETCH {3}\r\n', '+ OK'],
    ['abc\r\n', 'a BAD Please login first'],
    ['a XPROXY_VERSION\r\n', 'a BAD Please login first'],
    ['a STARTTLS\r\n', 'a BAD TLS is not available'],
    ['a LOGIN\r\n', 'a BAD LOGIN needs a user name and a password'],
    ['a LOGIN joe\r\n', 'a BAD LOGIN needs a user name and a password'],
    ['a LOGIN joe secret more\r\n', 'a BAD LOGIN needs a user name and a password'],
    ['a LOGIN joe (secret)\r\n', 'a BAD LOGIN needs a user name and a password'],
    ['a LOGIN "joe secret\r\n', 'a BAD LOGIN needs a user name and a password'],
    ['a LOGIN joe sec\rret\r\n', 'a BAD LOGIN needs a user name and a password'],
  ] as const) {
    peer.say(command)
    assert.equal(await peer.line(), answer, JSON.stringify(command))
  }
})

test('IDs are kept in order, except those that do not fit into one line', async () => {
  const { client, peer, login } = await arriving()
  void login()
  peer.say('a ID ("n" "1")\r\nb ID NIL\r\nc ID ("n" {3+}\r\nx\r\n)\r\nd ID ("n" {1+}\r\n2)\r\ne NOOP\r\n')
  await peer.until('e OK Completed\r\n')
  assert.deepEqual(client.ids, [[['n', '1']], [], [['n', '2']]])
})

/** An edge that offers STARTTLS, and requires it if configured. */
function withTls(requireTls = false) {
  const context = contextOf()
  Object.assign(context.settings.current.listeners['imap']!, { tls: 'starttls', requireTls })
  const tls = createSecureContext({ cert: testCertificate, key: testKey })
  const listeners = new Map([['imap', tls]])
  context.settings.replace(context.settings.current, {
    listeners,
    upstreams: new Map(),
    dates: [],
    unread: [],
  })
  return context
}

/** The client's side of a TLS connection over this one. */
function overTls(peer: Peer): TLSSocket {
  peer.socket.removeAllListeners('data')
  return connect({ socket: peer.socket, rejectUnauthorized: false })
}

test('if TLS is required, no login is accepted before it', async () => {
  const { client, peer, login } = await arriving(withTls(true))
  const done = login()
  peer.say('a LOGIN joe secret\r\nb AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=\r\nc CAPABILITY\r\n')
  assert.equal(await peer.line(), 'a NO [PRIVACYREQUIRED] STARTTLS first')
  assert.equal(await peer.line(), 'b NO [PRIVACYREQUIRED] STARTTLS first')
  assert.equal(await peer.line(), '* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED')
  assert.equal(client.secure, false)
  peer.say('d STARTTLS\r\n')
  await peer.until('d OK Begin TLS negotiation now\r\n')
  overTls(peer).write('e LOGIN joe secret\r\n')
  assert.equal((await done)?.tag, 'e')
})

test('commands sent without TLS after STARTTLS are discarded, and so are the IDs before it', async () => {
  const { client, peer, login } = await arriving(withTls())
  const done = login()
  client.link.handler.onData(
    Buffer.from('i ID ("name" "x")\r\na STARTTLS\r\nb LOGIN mallory secret\r\nc LOG'),
  )
  await peer.until('a OK Begin TLS negotiation now\r\n')
  overTls(peer).write('d LOGIN joe secret\r\n')
  assert.deepEqual(said(await done), { tag: 'd', user: 'joe', secret: 'secret', mechanism: 'command' })
  assert.deepEqual([client.secure, client.ids], [true, []])
})

test('a handshake that fails ends the session', async () => {
  const { peer, login } = await arriving(withTls())
  const done = login()
  peer.say('a STARTTLS\r\n')
  await peer.until('a OK Begin TLS negotiation now\r\n')
  peer.say('b LOGIN joe secret\r\n')
  assert.equal(await done, undefined)
  assert.equal(peer.isOpen && (await peer.closed()), '')
})

test('a client may disconnect at any point before its login', async () => {
  for (const text of [
    '',
    'a LOG',
    'a LOGIN {5}\r\njo',
    'a AUTHENTICATE PLAIN\r\n',
    'a AUTHENTICATE LOGIN\r\nam9l\r\n',
  ]) {
    const { peer, login } = await arriving()
    const done = login()
    if (text !== '') peer.say(text)
    if (text.includes('AUTH')) await peer.until('+ ')
    peer.socket.resetAndDestroy()
    assert.equal(await done, undefined, text)
  }
})

test('bytes after the login are kept for the session', async () => {
  const { client, peer, login } = await arriving()
  peer.say('a LOGIN joe secret\r\nb NOOP\r\nc SEL')
  assert.equal((await login())?.tag, 'a')
  assert.equal(client.takeEarly()?.toString(), 'b NOOP\r\nc SEL')
  assert.equal(client.takeEarly(), undefined)
})
