import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { acceptedLink } from '../net/wire.test-support.ts'
import { arriving, clientOn, roomy } from './arriving.test-support.ts'
import type { ClientRefusal, PreloginLimits } from '../client/client.ts'

const limits: Partial<PreloginLimits> = { lineBytesMax: 600, preloginBytesMax: 2000, preloginCommandsMax: 5 }

const excesses: Record<string, [text: string, refusal: ClientRefusal]> = {
  'a line without end': ['x'.repeat(700), 'line-too-long'],
  'a line that is too long': [`a ${'x'.repeat(700)}\r\n`, 'line-too-long'],
  'a line behind a literal': [`a LOGIN {3+}\r\njoe ${'x'.repeat(700)}`, 'line-too-long'],
  'an answer to a challenge without end': [`a AUTHENTICATE PLAIN\r\n${'x'.repeat(700)}`, 'line-too-long'],
  'a literal that is too long': ['a LOGIN {2001}\r\n', 'literal-too-long'],
  'a literal beyond all bounds': ['a LOGIN {99999999999999999999+}\r\n', 'literal-too-long'],
  'literals that are too much together': [
    `a X ${`{400+}\r\n${'x'.repeat(400)}`.repeat(6)}`,
    'too-many-bytes',
  ],
  'lines that are too much together': [`a NOOP ${'x'.repeat(580)}\r\n`.repeat(4), 'too-many-bytes'],
  'too many commands': ['a NOOP\r\n'.repeat(6), 'too-many-commands'],
}

test('the login may be the last command that the limit allows', async () => {
  const { peer, login } = await arriving(undefined, limits)
  const done = login()
  peer.say(`${'a NOOP\r\n'.repeat(4)}b LOGIN joe secret\r\n`)
  assert.equal((await done)?.tag, 'b')

  const late = await arriving(undefined, limits)
  const refused = late.login()
  late.peer.say('a NOOP\r\n'.repeat(5))
  assert.match(await late.peer.closed(), /\* BYE Too many commands before login\r\n$/)
  assert.equal(await refused, undefined)
})

for (const [name, [text, refusal]] of Object.entries(excesses)) {
  test(`${name} before login ends the connection with BYE and a reason`, async () => {
    const { client, peer, login } = await arriving(undefined, limits)
    const done = login()
    peer.say(text)
    assert.match(await peer.closed(), /\* BYE [A-Z][a-z ]+\r\n$/)
    assert.equal(client.refusal, refusal)
    assert.equal(await done, undefined)
  })
}

test('exactly the allowed numbers of bytes and commands are accepted', async () => {
  const { peer, login } = await arriving(undefined, limits)
  const done = login()
  peer.say('a NOOP\r\n'.repeat(4))
  peer.say('b LOGIN joe secret\r\n')
  assert.equal((await done)?.tag, 'b')
})

test('a client that does not log in in time gets one BYE', async () => {
  const { client, peer, context, login } = await arriving()
  const done = login()
  assert.ok(client.deadlineAt - context.clock.now() <= roomy.loginTimeoutMs)
  client.refuse('login-timeout')
  client.refuse('too-many-bytes')
  assert.equal(await peer.closed(), '* BYE Login timed out\r\n')
  assert.equal(client.refusal, 'login-timeout')
  assert.equal(await done, undefined)
})

test('a client is disconnected after `loginFailuresMax` refused logins', async () => {
  const { client, peer } = await arriving(undefined, { loginFailuresMax: 2 })
  client.countFailure()
  assert.equal(client.refusal, undefined)
  client.countFailure()
  assert.equal(client.refusal, 'too-many-failures')
  assert.equal(await peer.closed(), '* BYE Too many failed logins\r\n')
})

test('the edge reads a limited number of bytes from a client whose login is in progress', async () => {
  const { link, peer, socket } = await acceptedLink()
  const client = clientOn(link, undefined, limits)
  const command = client.nextCommand()
  peer.say('a LOGIN joe secret\r\n')
  assert.equal((await command)?.bytes.toString(), 'a LOGIN joe secret\r\n')
  peer.say('b NOOP\r\n'.repeat(2_000_000))
  await once(socket, 'pause')
  assert.ok(client.takeEarly()!.length < 200_000)
  assert.ok(socket.bytesRead < 400_000)
})
