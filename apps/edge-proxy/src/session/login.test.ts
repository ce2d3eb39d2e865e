import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { everyCut, wire } from '../imap/cuts.test-support.ts'
import { encodeString } from '../imap/encode.ts'
import { arriving, said } from './arriving.test-support.ts'

const base64 = (text: string) => wire(text).toString('base64')
const joe = { tag: 'a', user: 'joe', secret: 'secret', mechanism: 'command' }

const forms: Record<string, string> = {
  atoms: 'a LOGIN joe secret\r\n',
  'lower case': 'a login joe secret\r\n',
  'quoted strings': 'a LOGIN "joe" "secret"\r\n',
  'literals that wait': 'a LOGIN {3}\r\njoe {6}\r\nsecret\r\n',
  'literals that do not wait': 'a LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n',
  'a mixture': 'a LOGIN "joe" {6+}\r\nsecret\r\n',
  'bare line feeds': 'a LOGIN {3}\njoe {6}\nsecret\n',
}

for (const [name, text] of Object.entries(forms)) {
  test(`LOGIN in ${name} is the same login, whole, byte by byte and at every cut`, async () => {
    for (const chunks of everyCut(wire(text))) {
      const { client, login } = await arriving()
      const done = login()
      for (const chunk of chunks) client.link.handler.onData(Buffer.from(chunk))
      assert.deepEqual(said(await done), joe)
      client.close()
    }
  })
}

test('names and passwords are read unchanged in every form', async () => {
  const text = (minLength: number) =>
    fc
      .uint8Array({ min: 1, minLength, maxLength: 12 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13)))
      .filter((bytes) => bytes.length >= minLength)
  const form = (bytes: Buffer, asLiteral: boolean) => {
    const encoded = encodeString(bytes)
    if (encoded.kind === 'inline' && !asLiteral) return encoded.text
    return `{${bytes.length}+}\r\n${bytes.toString('latin1')}`
  }
  const { client, login } = await arriving(undefined, {
    preloginBytesMax: 1_000_000,
    preloginCommandsMax: 1000,
  })
  await fc.assert(
    fc.asyncProperty(text(1), text(0), fc.boolean(), async (user, secret, asLiteral) => {
      const done = login()
      const command = `a LOGIN ${form(user, asLiteral)} ${form(secret, asLiteral)}\r\n`
      client.link.handler.onData(wire(command))
      const { credentials } = (await done)!
      assert.deepEqual([Buffer.from(credentials.user), Buffer.from(credentials.secret)], [user, secret])
    }),
    { seed: 21, numRuns: 300 },
  )
})

test('a name or password that could end a command early is refused without asking the server', async () => {
  const { peer, login } = await arriving()
  const done = login()
  const refused = 'a NO [AUTHENTICATIONFAILED] User name or password has characters that no server accepts'
  for (const command of [
    'a LOGIN {5+}\r\njo\r\ne secret\r\n',
    'a LOGIN joe {13+}\r\nx\r\nb LOGOUT\r\n\r\n',
    'a LOGIN joe {2+}\r\n\n\n\r\n',
    'a LOGIN {4+}\r\njo\0e secret\r\n',
    'a LOGIN "" secret\r\n',
    `a AUTHENTICATE PLAIN ${base64('\0jo\ne\0secret')}\r\n`,
    `a AUTHENTICATE XOAUTH2 ${base64('user=jo\r\nb LOGOUT\x01auth=Bearer x\x01\x01')}\r\n`,
  ]) {
    peer.say(command)
    assert.equal(await peer.line(), refused, JSON.stringify(command))
  }
  peer.say('z LOGIN joe secret\r\n')
  assert.equal((await done)?.tag, 'z')
})

test('AUTHENTICATE reads its mechanisms with and without an initial response', async () => {
  const token = 'user=joe\x01auth=Bearer abc\x01\x01'
  const bearer = 'n,a=joe,\x01auth=Bearer abc\x01\x01'
  const cases: [string, string, Record<string, string>][] = [
    ['PLAIN', '\0joe\0secret', { user: 'joe', secret: 'secret' }],
    ['plain', 'boss\0joe\0secret', { user: 'joe', authzid: 'boss', secret: 'secret' }],
    ['XOAUTH2', token, { user: 'joe', secret: token }],
    ['OAUTHBEARER', bearer, { user: 'joe', secret: bearer }],
  ]
  for (const [mechanism, message, expected] of cases) {
    const credentials = { tag: 'a', ...expected, mechanism: mechanism.toUpperCase() }
    const short = await arriving()
    short.peer.say(`a AUTHENTICATE ${mechanism} ${base64(message)}\r\n`)
    assert.deepEqual(said(await short.login()), credentials)
    const long = await arriving()
    const done = long.login()
    long.peer.say(`a AUTHENTICATE ${mechanism}\r\n`)
    assert.equal(await long.peer.line(), '+ ')
    long.peer.say(`${base64(message)}\r\n`)
    assert.deepEqual(said(await done), credentials)
  }
})

test('AUTHENTICATE LOGIN asks for name and password, or only for the password if the name was sent initially', async () => {
  for (const initial of [false, true]) {
    const { peer, login } = await arriving()
    const done = login()
    peer.say(`a AUTHENTICATE LOGIN${initial ? ` ${base64('joe')}` : ''}\r\n`)
    if (!initial) {
      assert.equal(await peer.line(), `+ ${base64('Username:')}`)
      peer.say(`${base64('joe')}\r\n`)
    }
    assert.equal(await peer.line(), `+ ${base64('Password:')}`)
    peer.say(`${base64('secret')}\r\n`)
    assert.deepEqual(said(await done), { ...joe, mechanism: 'LOGIN' })
  }
})

test('after a failed AUTHENTICATE the client may try again', async () => {
  const { peer, login } = await arriving()
  const done = login()
  const attempts: [string[], string][] = [
    [['a AUTHENTICATE\r\n'], 'a NO Unsupported authentication mechanism'],
    [['a AUTHENTICATE CRAM-MD5\r\n'], 'a NO Unsupported authentication mechanism'],
    [['a AUTHENTICATE PLAIN x y\r\n'], 'a BAD Too many arguments'],
    [['a AUTHENTICATE PLAIN not-base64\r\n'], 'a BAD Invalid base64'],
    [[`a AUTHENTICATE PLAIN ${base64('joe')}\r\n`], 'a BAD Invalid PLAIN message'],
    [['a AUTHENTICATE PLAIN =\r\n'], 'a BAD Invalid PLAIN message'],
    [['a AUTHENTICATE XOAUTH2 =\r\n'], 'a BAD Invalid XOAUTH2 message'],
    [['a AUTHENTICATE PLAIN\r\n', '*\r\n'], 'a BAD Authentication cancelled'],
    [['a AUTHENTICATE LOGIN\r\n', '\r\n', '*\r\n'], 'a BAD Authentication cancelled'],
    [['a AUTHENTICATE PLAIN\r\n', 'b NOOP\r\n'], 'a BAD Invalid base64'],
  ]
  for (const [[command, ...answers], result] of attempts) {
    peer.say(command!)
    for (const answer of answers) {
      assert.match(await peer.line(), /^\+ /)
      peer.say(answer)
    }
    assert.equal(await peer.line(), result)
  }
  peer.say('z LOGIN joe secret\r\n')
  assert.equal((await done)?.tag, 'z')
})

test('an exchange in one segment, or with its answer in two segments, gives the same login', async () => {
  const { client, login } = await arriving()
  const done = login()
  const message = base64('\0joe\0secret')
  client.link.handler.onData(wire(`a AUTHENTICATE PLAIN\r\n${message.slice(0, 5)}`))
  client.link.handler.onData(wire(`${message.slice(5)}\r\nb NOOP\r\n`))
  assert.equal(said(await done)?.['secret'], 'secret')
  assert.equal(client.takeEarly()?.toString(), 'b NOOP\r\n')
})
