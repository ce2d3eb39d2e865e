import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { reset } from '../server/reset.ts'
import { begin } from './session.test-support.ts'

const size = 24_000_000
/** Limit on the bytes that wait in the edge for a peer that does not read: a few chunks, not a mail. */
const heldMax = 1_000_000

test('a client that does not read makes the server wait, and gets all bytes when it reads', async () => {
  const { client, scripted, clientSocket, serverSocket } = await begin()
  client.say('a FETCH 1 BODY[]\r\n')
  await scripted.line()
  client.socket.pause()
  scripted.say(`* 1 FETCH (BODY[] {${size}}\r\n`)
  scripted.socket.write(Buffer.alloc(size, 'x'))
  scripted.say(')\r\na OK done\r\n')
  await once(serverSocket, 'pause')
  assert.ok(clientSocket.writableLength < heldMax, `${clientSocket.writableLength} bytes wait for the client`)
  assert.ok(serverSocket.bytesRead < size)

  client.socket.resume()
  const head = `* 1 FETCH (BODY[] {${size}}\r\n`
  const text = await client.bytes(head.length + size + ')\r\na OK done\r\n'.length)
  assert.ok(text.startsWith(head) && text.endsWith('x)\r\na OK done\r\n'))
})

test('a server that does not read makes the client wait, and gets all bytes when it reads', async () => {
  const { client, scripted, clientSocket, serverSocket } = await begin()
  scripted.socket.pause()
  client.say(`a APPEND x {${size}+}\r\n`)
  client.socket.write(Buffer.alloc(size, 'x'))
  client.say('\r\nb LOGOUT\r\n')
  await once(clientSocket, 'pause')
  assert.ok(serverSocket.writableLength < heldMax, `${serverSocket.writableLength} bytes wait for the server`)
  assert.ok(clientSocket.bytesRead < size)

  scripted.socket.resume()
  const head = `a APPEND x {${size}+}\r\n`
  const text = await scripted.bytes(head.length + size + 2)
  assert.ok(text.startsWith(head) && text.endsWith('x\r\n'))
})

test('the edge stops reading from a client that sends while it must wait', async () => {
  for (const command of ['a IDLE\r\n', 'a APPEND x {5}\r\n', 'a NOOP\r\nb CAPABILITY\r\n']) {
    const { client, clientSocket, counters, scripted } = await begin()
    client.say(command)
    client.say(`c APPEND x {${size}+}\r\n${'x'.repeat(size)}\r\n`)
    await once(clientSocket, 'pause')
    assert.ok(
      counters.client_bytes_total.value < heldMax,
      `${counters.client_bytes_total.value} bytes were taken from the client`,
    )
    const [tag] = (await scripted.line()).split(' ')
    scripted.say(`${tag} NO enough\r\n`)
    await once(clientSocket, 'resume')
  }
})

test('a client with a thousand unanswered commands is paused, and loses no reply', async () => {
  const { client, clientSocket, counters, scripted } = await begin()
  const commands = 200_000
  client.say(Array.from({ length: commands }, (_, index) => `c${index} NOOP\r\n`).join(''))
  await once(clientSocket, 'pause')
  assert.ok(
    counters.client_bytes_total.value < heldMax,
    `${counters.client_bytes_total.value} bytes were taken from the client`,
  )
  for (let index = 0; index < 1000; index++) assert.equal(await scripted.line(), `c${index} NOOP`)
  assert.equal(scripted.unread, '')
  for (let index = 0; index < 5000; index++) {
    scripted.say(`c${index} OK done\r\n`)
    assert.equal(await client.line(), `c${index} OK done`)
  }
  assert.equal(await scripted.line(), 'c1000 NOOP')
})

test('early data is limited like later data', async () => {
  const { client, clientSocket, counters } = await begin({
    early: `a IDLE\r\n${'b NOOP\r\n'.repeat(10_000)}`,
  })
  assert.equal(clientSocket.isPaused(), true)
  client.say('c NOOP\r\n')
  assert.equal(counters.client_bytes_total.value, 80_008)
})

test('bytes behind a LOGOUT that waits for its turn are dropped, and do not pause the client', async () => {
  const { client, clientLink, clientSocket, scripted, fromClient, ended } = await begin()
  fromClient('a NOOP\r\nb LOGOUT\r\n')
  const chunk = Buffer.alloc(1 << 20, 'x')
  const { arrayBuffers } = process.memoryUsage()
  for (let times = 0; times < 32; times++) clientLink.handler.onData(chunk)
  assert.ok(process.memoryUsage().arrayBuffers < arrayBuffers + (16 << 20))
  assert.equal(clientSocket.isPaused(), false)
  assert.equal(await scripted.line(), 'a NOOP')
  scripted.say('a OK done\r\n')
  assert.equal(await client.line(), 'a OK done')
  assert.deepEqual((await ended).ending, { kind: 'logout', tag: 'b' })
  assert.equal(scripted.unread, '')
})

test('the reset reads a FETCH response to its end that the client did not read', async () => {
  const { client, scripted, serverSocket, ended, connection } = await begin()
  client.say('a FETCH 1 BODY[]\r\n')
  await scripted.line()
  client.socket.pause()
  scripted.say(`* 1 FETCH (BODY[] {${size}}\r\n`)
  scripted.socket.write(Buffer.alloc(size, 'x'))
  scripted.say(')\r\na OK done\r\n')
  await once(serverSocket, 'pause')
  client.socket.destroy()
  const { handBack } = await ended
  assert.deepEqual(handBack, {
    connection,
    refusal: undefined,
    unanswered: ['a'],
    idling: false,
    usesCondstore: false,
    hadBad: false,
  })
  const result = reset(connection, handBack, { timeoutMs: 5000, bytesMax: size * 2 })
  const [tag] = (await scripted.line()).split(' ')
  scripted.say(`${tag} OK done\r\n`)
  assert.deepEqual(await result, { kind: 'clean' })
})
